import { expect, test } from "vitest";

import { INTERMEDIATE, ROOT, seenLeaf } from "../testing/certificates.ts";
import { fileFacts, fileReading, iisNode, installed } from "../testing/evidence.ts";
import { served, type CellScript, type Script } from "../testing/examination.ts";
import { ALONE, certfarmFarm, everywhere, fileWith } from "../testing/file-scripts.ts";
import { HOST, SHOP, told } from "../testing/wire-scripts.ts";
import { intermediateMissing } from "./intermediate-missing.ts";

const whole = served(HOST, { chain: [seenLeaf(HOST), INTERMEDIATE] });
const farm = (second: CellScript): Script => ({ cells: { web1: { [HOST]: whole }, web2: { [HOST]: second } } });

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", farm(whole), ["passed"]],
  [
    "is certain when another node sends the link",
    farm(ALONE),
    ["error, certain: web2 does not send the certificate of CN=Example CA for www.example.com"],
  ],
  [
    "is certain when another host's chain of the same issuer is whole",
    { cells: { web1: { [SHOP]: served(SHOP), [HOST]: ALONE } } },
    ["error, certain: web1 does not send the certificate of CN=Example CA for www.example.com"],
  ],
  [
    "is likely when nobody sends it",
    everywhere(ALONE),
    ["error, likely: web1 and web2 do not send the certificate of CN=Example CA for www.example.com"],
  ],
  [
    "is certain when the server itself cannot build the chain",
    { ...everywhere(ALONE), evidence: { web1: iisNode([HOST], { certificates: [installed(HOST, { chain: { complete: false } })] }) } },
    ["error, certain: web1 and web2 do not send the certificate of CN=Example CA for www.example.com"],
  ],
  [
    "is certain when the file holds nothing but the leaf",
    certfarmFarm(
      [fileWith("ok", { reading: fileReading(HOST, "ok", { facts: fileFacts(HOST, { chainEnds: "leaf-only" }) }) })],
      [ALONE, ALONE],
    ),
    ["error, certain: web1 and web2 do not send the certificate of CN=Example CA for www.example.com"],
  ],
  [
    "leaves a self-signed certificate to its own rule",
    everywhere(served(HOST, { verified: "DEPTH_ZERO_SELF_SIGNED_CERT", issuer: `CN=${HOST}` })),
    ["passed"],
  ],
  [
    "leaves a whole chain of a private authority to its own rule",
    everywhere(served(HOST, { verified: "SELF_SIGNED_CERT_IN_CHAIN", chain: [seenLeaf(HOST), INTERMEDIATE, ROOT] })),
    ["passed"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(intermediateMissing, script)).toEqual(expected);
});
