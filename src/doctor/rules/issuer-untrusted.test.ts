import { expect, test } from "vitest";

import { INTERMEDIATE, ROOT, seenLeaf } from "../testing/certificates.ts";
import { served, type Script } from "../testing/examination.ts";
import { ALONE, everywhere, SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, SHOP, told } from "../testing/wire-scripts.ts";
import { issuerUntrusted } from "./issuer-untrusted.ts";

const selfSigned = served(HOST, { verified: "DEPTH_ZERO_SELF_SIGNED_CERT", issuer: `CN=${HOST}`, chainLength: 1 });
const privateCa = served(HOST, { verified: "SELF_SIGNED_CERT_IN_CHAIN", chain: [seenLeaf(HOST), INTERMEDIATE, ROOT] });
const unknown = served(HOST, { verified: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", chain: [seenLeaf(HOST), INTERMEDIATE] });

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: SHOP_WELL } }, ["passed"]],
  [
    "warns of a private authority",
    everywhere(privateCa),
    ["warning, certain: web1 and web2 serve www.example.com with a certificate of CN=Example CA, which this machine does not trust"],
  ],
  [
    "is not sure without the root",
    everywhere(unknown),
    ["warning, likely: web1 and web2 serve www.example.com with a certificate of CN=Example CA, which this machine does not trust"],
  ],
  [
    "is an error against roots that were given",
    { ...everywhere(privateCa), changes: { roots: "given" } },
    ["error, certain: web1 and web2 serve www.example.com with a certificate of CN=Example CA, which this machine does not trust"],
  ],
  [
    "warns of a self-signed certificate everywhere",
    everywhere(selfSigned),
    ["warning, certain: web1 and web2 serve a self-signed certificate for www.example.com"],
  ],
  [
    "is an error when other nodes serve a trusted one",
    { cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: selfSigned } } },
    ["error, certain: web2 serves a self-signed certificate for www.example.com"],
  ],
  ["leaves a link that is missing to its own rule", everywhere(ALONE), ["passed"]],
  [
    "does not apply when something on the way opens TLS",
    {
      cells: {
        web1: {
          [HOST]: served(HOST, { verified: "SELF_SIGNED_CERT_IN_CHAIN", issuer: "CN=Zscaler", chain: [seenLeaf(HOST), ROOT] }),
          [SHOP]: served(SHOP, { verified: "SELF_SIGNED_CERT_IN_CHAIN", issuer: "CN=Zscaler", chain: [seenLeaf(SHOP), ROOT] }),
        },
      },
    },
    ["not-applicable"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(issuerUntrusted, script)).toEqual(expected);
});
