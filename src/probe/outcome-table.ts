import type { ProbeOutcome, SeenCertificate } from "../doctor/index.ts";

/**
 * One object for each different outcome: thousands of cells that were served the same share it, and a thread sends it once.
 * It grows with what is different, which the number of handshakes bounds.
 */
export class OutcomeTable {
  readonly #kept = new Map<string, ProbeOutcome>();

  keep(outcome: ProbeOutcome): ProbeOutcome {
    const key = keyOf(outcome);
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    this.#kept.set(key, outcome);
    return outcome;
  }
}

function keyOf(outcome: ProbeOutcome): string {
  if (outcome.kind !== "served") return JSON.stringify(outcome);
  const { sha256, chain, protocol, cipher, alpn, resumed, stapled, verified } = outcome;
  return `${sha256} ${(chain ?? []).map(shortDigest).join("")} ${protocol} ${cipher} ${alpn} ${resumed} ${stapled} ${verified}`;
}

const shortDigest = ({ sha256 }: SeenCertificate, index: number): string => (index === 0 ? "" : `${sha256},`);
