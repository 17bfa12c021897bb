import { expect, test } from "vitest";

import { INTERMEDIATE, seen, seenLeaf } from "../testing/certificates.ts";
import { at, served, type CellScript, type Script } from "../testing/examination.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { chainExpired } from "./chain-expired.ts";

const ended = seen("Example CA crossed", { notAfter: at(-3) });
const farm = (second: CellScript): Script => ({ cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: second } } });

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", farm(served(HOST, { chain: [seenLeaf(HOST), INTERMEDIATE] })), ["passed"]],
  [
    "is an error when the chain is refused",
    farm(served(HOST, { verified: "CERT_HAS_EXPIRED", chain: [seenLeaf(HOST), ended] })),
    ["error, certain: web2 sends an expired issuer's certificate with www.example.com: CN=Example CA crossed"],
  ],
  [
    "warns when another path was found",
    farm(served(HOST, { chain: [seenLeaf(HOST), INTERMEDIATE, ended] })),
    ["warning, certain: web2 sends an expired issuer's certificate with www.example.com: CN=Example CA crossed"],
  ],
  [
    "sees it without the chain, by the verdict",
    farm(served(HOST, { verified: "CERT_HAS_EXPIRED" })),
    ["error, certain: web2 sends an expired issuer's certificate with www.example.com: CN=Example CA"],
  ],
  ["leaves an expired leaf to its own rule", farm(served(HOST, { notAfter: at(-1), verified: "CERT_HAS_EXPIRED" })), ["passed"]],
  [
    "says nothing of an expired root that is sent along in vain",
    farm(served(HOST, { chain: [seenLeaf(HOST), INTERMEDIATE, seen("old root", { selfSigned: true, notAfter: at(-1) })] })),
    ["passed"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(chainExpired, script)).toEqual(expected);
});
