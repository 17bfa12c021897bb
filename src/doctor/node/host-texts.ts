import type { HostName } from "../../base/index.ts";
import type { Proof, Symptom } from "../finding.ts";
import { nameSome } from "../name-some.ts";

/** The hosts of symptoms, each once. */
export const hostsOf = (symptoms: readonly Symptom[]): readonly HostName[] => [...new Set(symptoms.map(({ host }) => host))];

/** What was seen from outside: `www.example.com: reset after the ClientHello`. Nothing when nothing was. */
export function seenProof(symptoms: readonly Symptom[]): readonly Proof[] {
  const [first] = symptoms;
  if (first === undefined) return [];
  return [{ text: `${nameSome(hostsOf(symptoms))}: ${first.text}`, source: `probe of ${first.node} for ${first.host}` }];
}
