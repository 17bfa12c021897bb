import { instant, parseHostPattern, type HostName, type HostPattern, type Instant } from "../../base/index.ts";
import type { CandidateVia, CentralView, FileKnowledge, LeafFacts } from "../types.ts";

/** Noon of a day in 2026. */
export const NOW: Instant = instant(Date.UTC(2026, 5, 15, 12));

const DAY_MS = 86_400_000;

/** A moment some days after NOW (negative: before). */
export const days = (count: number): Instant => instant(NOW + count * DAY_MS);

/** A leaf for these names, an ECDSA one that is valid for another 90 days unless told otherwise. */
export function leaf(names: readonly string[], facts: Partial<Omit<LeafFacts, "dnsNames">> = {}): LeafFacts {
  const dnsNames = names.map((name) => pattern(name));
  return { thumbprint: "AA".repeat(20), keyType: "ecdsa", notBefore: days(-30), notAfter: days(90), ...facts, dnsNames };
}

/** A host pattern that a test knows to be one. */
export function pattern(name: string): HostPattern {
  const parsed = parseHostPattern(name);
  if (parsed === undefined) throw new Error(`${name} is no host pattern`);
  return parsed;
}

export const usable = (file: string, facts: LeafFacts): FileKnowledge => ({ file, state: "usable", leaf: facts });
export const unread = (file: string): FileKnowledge => ({ file, state: "unread" });
export const unusable = (file: string): FileKnowledge => ({
  file,
  state: "unusable",
  status: "wrong-password",
  problem: "no password opens the file",
});

/** A file of a central view and how it comes into question: for every host that is asked for. */
export interface Candidate {
  readonly via: CandidateVia;
  readonly knowledge: FileKnowledge;
}

/** A view with these candidates for every host, and these further files by name. */
export function centralView(candidates: readonly Candidate[], files: readonly FileKnowledge[] = []): CentralView {
  const byName = new Map([...candidates.map(({ knowledge }) => knowledge), ...files].map((knowledge) => [knowledge.file, knowledge]));
  return { candidates: (_host: HostName) => candidates, file: (name) => byName.get(name) };
}
