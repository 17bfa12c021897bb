import { wildcardOf, type HostName } from "../../base/index.ts";
import type { BindingsEvidence, EvidenceBinding } from "../evidence.ts";

const ANY_HOST = "";

const indexes = new WeakMap<BindingsEvidence, ReadonlyMap<string, readonly EvidenceBinding[]>>();

/** The https bindings that a host has on a port: of its name, of its wildcard, of any host. */
export function bindingsFor(bindings: BindingsEvidence, host: HostName, port: number): readonly EvidenceBinding[] {
  const known = indexes.get(bindings) ?? indexBindings(bindings.bindings);
  indexes.set(bindings, known);
  const keys = [host, wildcardOf(host), ANY_HOST].filter((key) => key !== undefined);
  return keys.flatMap((key) => known.get(`${port} ${key}`) ?? []);
}

function indexBindings(bindings: readonly EvidenceBinding[]): ReadonlyMap<string, readonly EvidenceBinding[]> {
  const index = new Map<string, EvidenceBinding[]>();
  for (const binding of bindings) {
    if (binding.protocol !== "https") continue;
    const key = `${binding.port} ${binding.host ?? ANY_HOST}`;
    const there = index.get(key);
    if (there === undefined) index.set(key, [binding]);
    else there.push(binding);
  }
  return index;
}

/** The https bindings that ask for central certificates. */
export const centralBindings = (bindings: BindingsEvidence | undefined): readonly EvidenceBinding[] =>
  (bindings?.bindings ?? []).filter(({ protocol, central }) => protocol === "https" && central);

/** `1 binding asks`, `3 bindings ask`. */
export const askText = (count: number): string => `${count} ${count === 1 ? "binding asks" : "bindings ask"}`;
