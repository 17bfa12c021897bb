import { expect, test } from "vitest";

import { seenLeaf } from "../testing/certificates.ts";
import { iisNode } from "../testing/evidence.ts";
import { at, served, type CellScript, type Script } from "../testing/examination.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { certificatesDiffer } from "./certificates-differ.ts";

const own = (label: string, changes: Parameters<typeof served>[1] = {}) => served(label, { dnsNames: [HOST], ...changes });
const farm = (...nodes: readonly CellScript[]): Script => ({
  cells: Object.fromEntries(nodes.map((cell, index) => [`web${index + 1}`, { [HOST]: cell }])),
});
const first = served(HOST);

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", farm(first, first), ["passed"]],
  [
    "names the key types first",
    farm(served(HOST, { chain: [seenLeaf(HOST)] }), first, own("ec", { chain: [seenLeaf("ec", { keyName: "P-256" })] })),
    ["notice, likely: web3 serves other certificates for www.example.com than the other nodes: the key is P-256, there RSA 2048"],
  ],
  [
    "names the names",
    farm(first, first, own("two", { dnsNames: [HOST, "example.com"] })),
    [
      "notice, likely: web3 serves other certificates for www.example.com than the other nodes: it names www.example.com and example.com, there www.example.com",
    ],
  ],
  [
    "names the issuers",
    farm(first, first, own("two", { issuer: "CN=Other CA" })),
    [
      "notice, likely: web3 serves other certificates for www.example.com than the other nodes: it was issued by CN=Other CA, there by CN=Example CA",
    ],
  ],
  [
    "names the days",
    farm(first, first, own("two", { notBefore: at(-20) })),
    [
      "notice, likely: web3 serves other certificates for www.example.com than the other nodes: it was issued on 2026-05-26, there on 2026-05-16",
    ],
  ],
  [
    "warns when the node's own file holds another one",
    { ...farm(first, first, own("two", { notBefore: at(-20) })), evidence: { web3: iisNode([HOST]) } },
    [
      "warning, likely: web3 serves other certificates for www.example.com than the other nodes: it was issued on 2026-05-26, there on 2026-05-16",
    ],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(certificatesDiffer, script)).toEqual(expected);
});
