import type { EvidenceRow, InstalledCertificate, NodeEvidence } from "../doctor/index.ts";
import { dayOf } from "./day.ts";

/** The stores whose certificates are collected. */
const COLLECTED = new Set(["my", "webhosting"]);

/** What a row's certificate is, or why the row cannot serve. */
export interface InstalledJudgement {
  readonly text: string;
  readonly problem?: string;
}

/** Looks for the certificate of a row in the server's stores; a row without a store's name means `My`. */
export function judgeInstalled(evidence: NodeEvidence, { thumbprint, storeName = "My" }: EvidenceRow): InstalledJudgement {
  if (thumbprint === undefined) return { text: "", problem: "the row names no certificate" };
  const named = `thumbprint ${thumbprint} in ${storeName}`;
  const { certificates } = evidence;
  // Windows' thumbprints are SHA-1: a row may carry SHA-256, which cannot be looked up.
  if (certificates === undefined || thumbprint.length !== 40 || !COLLECTED.has(storeName.toLowerCase())) {
    return { text: `${named}; whether it is installed was not collected` };
  }
  const installed = certificates.filter((certificate) => certificate.thumbprint === thumbprint);
  const found = installed.find(({ store }) => store.toLowerCase() === storeName.toLowerCase());
  if (found === undefined) {
    const elsewhere = installed[0] === undefined ? "" : `; it is in ${installed[0].store}`;
    return { text: "", problem: `${named} is not installed (HttpEvent 15021)${elsewhere}` };
  }
  const keyProblem = problemOfKey(found);
  if (keyProblem !== undefined) return { text: "", problem: `${named} ${keyProblem}` };
  return { text: `${named}, ${found.subject}, valid until ${dayOf(found.notAfter)}` };
}

function problemOfKey({ hasKey, keyReadable }: InstalledCertificate): string | undefined {
  if (hasKey === false) return "has no private key";
  return keyReadable === false ? "has a private key that the server cannot read (Schannel 36870)" : undefined;
}
