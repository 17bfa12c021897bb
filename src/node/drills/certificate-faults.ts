import { FarmError, instant, type Instant } from "../../base/index.ts";
import type { CentralCertificates, FileReport } from "../../certificates/index.ts";
import type { FileKnowledge, LeafFacts } from "../../handshake/index.ts";
import { createAuthority, type PreparedCertificate } from "../../pki/index.ts";
import type { CertificateFault } from "../faulty-certificates.ts";

/** A file from which the node serves a host. */
export interface ServingFile {
  readonly file: string;
  readonly leaf: LeafFacts;
}

const PASSWORD_PROBLEM = "none of the passwords that this node has opens it (a drill)";

/** No password of the node opens these files any longer. @throws DRILL_NOT_POSSIBLE */
export function passwordFault(serving: readonly ServingFile[]): CertificateFault {
  const files = serving.map(({ file }) => file).filter((file) => /\.(?:pfx|p12)$/i.test(file));
  if (files.length < serving.length || files.length === 0)
    throw new FarmError(
      "DRILL_NOT_POSSIBLE",
      `${serving.map(({ file }) => file).join(", ")}: only files under a password (.pfx) can be locked`,
    );
  return {
    files: new Set(files),
    knowledge: ({ file }) => ({ file, state: "unusable", status: "wrong-password", problem: PASSWORD_PROBLEM }),
    report: ({ file, readAt }) => ({
      file,
      status: "wrong-password",
      servingEarlierVersion: false,
      problem: PASSWORD_PROBLEM,
      ...(readAt === undefined ? {} : { readAt }),
    }),
    prepared: () => undefined,
  };
}

/** The node finds the host's file under the name of a wildcard one level below: the commonest mistake with wildcards. */
export function renamedFault(serving: readonly ServingFile[], host: string): CertificateFault {
  const files = serving.map(({ file }) => file);
  return {
    files: new Set(files),
    knowledge: () => undefined,
    report: () => undefined,
    prepared: () => undefined,
    listedAs: files.map((file) => `_.${host}${/\.[a-z\d]+$/i.exec(file)?.[0] ?? ".pfx"}`),
  };
}

/** The node goes on with what it has now, whatever becomes of the files. */
export async function frozenFault(
  certificates: Pick<CentralCertificates, "prepared" | "reports">,
  serving: readonly ServingFile[],
  maxReports: number,
): Promise<CertificateFault> {
  const files = new Set(serving.map(({ file }) => file));
  const prepared = new Map<string, PreparedCertificate | undefined>();
  for (const file of files) prepared.set(file, await certificates.prepared(file));
  const known = new Map<string, FileKnowledge>(serving.map(({ file, leaf }) => [file, { file, state: "usable", leaf }]));
  const reports = new Map<string, FileReport>(certificates.reports(maxReports).map((report) => [report.file, report]));
  return {
    files,
    knowledge: (now) => known.get(now.file) ?? now,
    report: (now) => reports.get(now.file) ?? now,
    prepared: (file) => prepared.get(file),
  };
}

/** The node leaves out what follows its own certificate. @throws DRILL_NOT_POSSIBLE when nothing does */
export async function chainFault(
  certificates: Pick<CentralCertificates, "prepared">,
  serving: readonly ServingFile[],
): Promise<CertificateFault> {
  const prepared = new Map<string, PreparedCertificate>();
  for (const { file } of serving) {
    const whole = await certificates.prepared(file);
    const leaf = whole === undefined ? undefined : firstCertificate(whole.chainPem);
    if (whole === undefined || leaf === undefined) continue;
    if (leaf.length === whole.chainPem.trimEnd().length)
      throw new FarmError("DRILL_NOT_POSSIBLE", `${file} holds no intermediate certificate that could be left out`);
    prepared.set(file, { chainPem: `${leaf}\n`, keyPem: whole.keyPem });
  }
  return { files: new Set(prepared.keys()), prepared: (file) => prepared.get(file) };
}

const firstCertificate = (pem: string): string | undefined => /^-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/m.exec(pem)?.[0];

const ENDED_BEFORE_MS = 1_000;
const LIFE_MS = 60_000;

/** The node serves a certificate for the host that ended a moment ago, issued for this drill and known nowhere else. */
export async function expiredFault(serving: readonly ServingFile[], host: string, now: Instant): Promise<CertificateFault> {
  const notAfter = instant(now - ENDED_BEFORE_MS);
  // Younger than the certificate it stands in for, where that is possible: a predecessor would be a stale certificate.
  const newest = Math.max(...serving.map(({ leaf }) => leaf.notBefore));
  const notBefore = instant(Math.min(Math.max(newest + 1_000, notAfter - LIFE_MS), notAfter - 1_000));
  const authority = await createAuthority({ name: "certfarm drill", now });
  const issued = await authority.issue({ names: [host], notBefore, notAfter });
  return { files: new Set(serving.map(({ file }) => file)), prepared: () => ({ chainPem: issued.chainPem, keyPem: issued.keyPem }) };
}
