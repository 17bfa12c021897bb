import { gunzipSync, gzipSync } from "node:zlib";

import type { Entry } from "../store/index.ts";
import { corrupt, decodeFields, encodeJson, fieldsOf, listField, numberField, textField, type Fields } from "./state-json.ts";
import type { NodeReport } from "./types.ts";

const NUMBERS = ["at", "startedAt", "pid", "revision"] as const;
const TEXTS = ["version", "nodeVersion", "digest"] as const;

/** A report is written every few seconds; its JSON shrinks to a sixth. Fast rather than small. */
const GZIP = { level: 1 };
const GZIP_MARK = [0x1f, 0x8b];
const MAX_JSON_BYTES = 1 << 20;

/** A report as it is stored. */
export const encodeReport = (report: NodeReport): Uint8Array => gzipSync(encodeJson(report), GZIP);

function jsonOf({ key, value }: Entry): Uint8Array {
  if (GZIP_MARK.some((octet, at) => value[at] !== octet)) return value;
  try {
    return gunzipSync(value, { maxOutputLength: MAX_JSON_BYTES });
  } catch {
    throw corrupt(key, "it cannot be unpacked");
  }
}

/**
 * A node's report. What readers lean on is checked (numbers, lists, the name); nodes of another version may say more.
 * @throws STORE_CORRUPT naming the key
 */
export function decodeReport(entry: Entry): NodeReport {
  const { key } = entry;
  const fields = decodeFields(jsonOf(entry), key);
  if (`nodes/${textField(fields, "node", key)}` !== key) throw corrupt(key, "it is another node's report");
  for (const name of NUMBERS) numberField(fields, name, key);
  for (const name of TEXTS) textField(fields, name, key);
  for (const name of ["listeners", "content"]) for (const item of listField(fields, name, key)) fieldsOf(item, key);
  for (const name of ["refusals", "handshakes", "certificates", "resources"]) fieldsOf(fields[name], key);
  numberField(fieldsOf(fields["table"], key), "rows", key);
  checkProof(fieldsOf(fields["proof"], key), key);
  // Checked above as far as readers lean on it.
  return fields as unknown as NodeReport;
}

function checkProof(proof: Fields, key: string): void {
  for (const name of ["proved", "failed", "pending"]) numberField(proof, name, key);
  for (const item of listField(proof, "hosts", key)) {
    const host = fieldsOf(item, key);
    textField(host, "host", key);
    textField(host, "verdict", key);
    numberField(host, "port", key);
  }
}
