import { expect, test } from "vitest";

import type { SeenCertificate } from "../observation.ts";
import { INTERMEDIATE, ROOT, seen, seenLeaf } from "../testing/certificates.ts";
import { served, type CellScript, type Script } from "../testing/examination.ts";
import { ALONE } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { chainDiffers } from "./chain-differs.ts";

const sending = (...issuers: readonly SeenCertificate[]): CellScript => served(HOST, { chain: [seenLeaf(HOST), ...issuers] });
const farm = (...nodes: readonly CellScript[]): Script => ({
  cells: Object.fromEntries(nodes.map((cell, index) => [`web${index + 1}`, { [HOST]: cell }])),
});
const usual = sending(INTERMEDIATE);

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when chains are alike", farm(usual, usual), ["passed"]],
  ["passes when chains were not read", farm(served(HOST), served(HOST)), ["passed"]],
  [
    "names the node that sends another intermediate",
    farm(usual, usual, sending(seen("crossed"))),
    ["warning, certain: web3 sends another chain with the certificate of www.example.com than other nodes"],
  ],
  [
    "is a notice when only the root is sent along",
    farm(usual, usual, sending(INTERMEDIATE, ROOT)),
    ["notice, certain: web3 and web1 differ in whether they send the root with the certificate of www.example.com"],
  ],
  ["leaves a chain that is not trusted to other rules", farm(usual, usual, ALONE), ["passed"]],
  [
    "says nothing of different certificates",
    farm(usual, served("own", { dnsNames: [HOST], chain: [seenLeaf("own"), seen("crossed")] })),
    ["passed"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(chainDiffers, script)).toEqual(expected);
});
