import type { ConfigReading } from "../config/index.ts";
import { compiledEntry, runOnce } from "../workers/index.ts";
import { fromWire, type WireReading } from "./config-wire.ts";

const ENTRY = compiledEntry(import.meta.url, "config-worker");

/**
 * Parses a revision in a thread of its own: a farm.yaml of 100,000 bindings takes seconds, in which no handshake must wait, and the
 * parser's libraries (some 17 MB) are only needed when the configuration changes.
 */
export async function readConfig(yaml: string): Promise<ConfigReading> {
  return fromWire((await runOnce(ENTRY, yaml)) as WireReading); // what config-worker posts
}
