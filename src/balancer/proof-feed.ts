import { parseHostName } from "../base/index.ts";

/** What a node's `/proofs?since=GENERATION` answers: what changed in what it proved. */
export interface ProofFeed {
  readonly generation: number;
  /** Everything that was known of this node is void. */
  readonly reset: boolean;
  readonly changes: readonly { readonly host: string; readonly port: number; readonly proved: boolean }[];
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Reads the JSON text of a `/proofs` answer; undefined when it is not one. Entries that make no sense are left out. */
export function parseProofFeed(text: string): ProofFeed | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(value) || !Array.isArray(value["changes"])) return undefined;
  const generation = value["generation"];
  if (typeof generation !== "number" || !Number.isSafeInteger(generation) || generation < 0) return undefined;
  return { generation, reset: value["reset"] === true, changes: value["changes"].flatMap(readChange) };
}

function readChange(value: unknown): ProofFeed["changes"] {
  if (!isRecord(value) || typeof value["host"] !== "string" || typeof value["proved"] !== "boolean") return [];
  const host = parseHostName(value["host"]);
  const port = value["port"];
  if (host === undefined || typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535) return [];
  return [{ host, port, proved: value["proved"] }];
}

/** Whether the body of a `/readyz` answer says that the node drains: JSON `{"draining": true}`. */
export function saysDraining(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && value["draining"] === true;
  } catch {
    return false;
  }
}
