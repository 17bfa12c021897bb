import { wildcardOf, type HostName } from "../base/index.ts";
import type { Decision, LeafFacts, SelectionInput, TrailStep } from "./types.ts";

/** A selection under way. */
export interface Selection {
  readonly input: SelectionInput;
  readonly trail: TrailStep[];
  /** A file was there and could not be used. */
  sawUnusable: boolean;
  /** A row took the connection and its file is not there. */
  sawMissing: boolean;
}

/** undefined = nothing found here: go on with the next place. */
export type Attempt = Decision | undefined;

/** Whether a leaf names a host, itself or by a wildcard (RFC 9525 section 6.3). */
export function covers(leaf: LeafFacts, host: HostName): boolean {
  const names: readonly string[] = leaf.dnsNames;
  return names.includes(host) || names.includes(wildcardOf(host) ?? host);
}
