import { expect, test } from "vitest";

import { requireHostName } from "../../base/index.ts";
import type { NodeEvidence } from "../evidence.ts";
import { examine } from "../testing/examination.ts";
import { binding, bindings, centralRow, hostRow, pattern, table } from "../testing/evidence.ts";
import { certificateOrigin } from "./certificate-origin.ts";

const HOST = "www.example.com";
const none: Partial<NodeEvidence> = {};

test.each<[string, Partial<NodeEvidence> | undefined, unknown]>([
  ["nothing was collected at all", undefined, { kind: "unknown" }],
  ["neither bindings nor the table were collected", none, { kind: "unknown" }],
  ["a binding asks for a central certificate", { bindings: bindings(binding(HOST)) }, { kind: "central" }],
  ["a wildcard binding asks for it", { bindings: bindings(binding("*.example.com")) }, { kind: "central" }],
  ["a binding names a certificate", { bindings: bindings(binding(HOST, { central: false })) }, { kind: "named" }],
  [
    "one of two bindings asks for it",
    { bindings: bindings(binding(HOST), binding(HOST, { central: false, port: 8443 })) },
    { kind: "central" },
  ],
  [
    "the exact binding goes before the wildcard's",
    { bindings: bindings(binding("*.example.com"), binding(HOST, { central: false })) },
    { kind: "named" },
  ],
  [
    "a host row goes before bindings",
    { bindings: bindings(binding(HOST)), table: table(hostRow(HOST, HOST, { file: "a.pfx" })) },
    { kind: "named", file: "a.pfx" },
  ],
  [
    "a scoped central row asks for it",
    { table: table({ ...centralRow(), key: { kind: "scoped-central", host: pattern(HOST), port: 443 } }) },
    { kind: "central" },
  ],
  ["only the table is known, and has a central row", { table: table(centralRow()) }, { kind: "central" }],
  ["only the table is known, and has none", { table: table() }, { kind: "none" }],
  ["bindings do not mention the host", { bindings: bindings(binding("shop.example.com")), table: table(centralRow()) }, { kind: "none" }],
  ["an http binding says nothing", { bindings: bindings(binding(HOST, { protocol: "http" })) }, { kind: "none" }],
])("%s", (_name, evidence, expected) => {
  const [node] = examine({ cells: { web1: {} }, ...(evidence === undefined ? {} : { evidence: { web1: evidence } }) }).nodes;
  expect(node === undefined ? "no node" : certificateOrigin(node, requireHostName(HOST))).toEqual(expected);
});
