import { expect, test } from "vitest";

import { centralFile } from "../testing/evidence.ts";
import { at, served, type Script } from "../testing/examination.ts";
import { certfarmFarm, fileWith, holding, iisFarm, SHOP_WELL, WILDCARD } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { certificateTwins } from "./certificate-twins.ts";

const wildcard = centralFile("_.example.com.pfx");
const twin = holding("WWW.example.com.pfx", "twin", { notBefore: at(-50) });
const shownTwin = served("twin", { dnsNames: [HOST], notBefore: at(-50) });
const ecdsa = holding(`${HOST}.ecdsa.pfx`, "ecdsa", { keyType: "ecdsa" });

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes on a wildcard beside a file of its own", iisFarm([wildcard, fileWith("ok")], [served(HOST), served(HOST)]), ["passed"]],
  [
    "names a node that goes on with the wildcard",
    iisFarm([wildcard, fileWith("ok")], [served(HOST), WILDCARD]),
    ["error, certain: web2 serves www.example.com from _.example.com.pfx, although www.example.com.pfx is there"],
  ],
  [
    "is a notice within the polling interval",
    iisFarm([wildcard, fileWith("ok", { modifiedAt: at(-2 / 1_440) })], [served(HOST), WILDCARD]),
    ["notice, certain: web2 serves www.example.com from _.example.com.pfx, although www.example.com.pfx is there"],
  ],
  [
    "warns of names that differ in case alone",
    iisFarm([fileWith("ok"), twin], [served(HOST), served(HOST)]),
    ["warning, certain: www.example.com.pfx and WWW.example.com.pfx compete for www.example.com"],
  ],
  [
    "is an error when nodes serve one here and one there",
    iisFarm([fileWith("ok"), twin], [served(HOST), shownTwin]),
    ["error, certain: www.example.com.pfx and WWW.example.com.pfx compete for www.example.com"],
  ],
  [
    "passes when both hold the same certificate",
    iisFarm([fileWith("ok"), { ...fileWith("ok"), name: "WWW.example.com.pfx" }], [served(HOST), served(HOST)]),
    ["passed"],
  ],
  [
    "passes on an RSA file beside an ECDSA file",
    certfarmFarm([holding(`${HOST}.rsa.pfx`, HOST, {}), ecdsa], [served(HOST), served("ecdsa", { dnsNames: [HOST] })]),
    ["passed"],
  ],
  [
    "passes on an old and a new file on certfarm, which chooses alike everywhere",
    certfarmFarm([fileWith("ok"), { ...twin, name: `${HOST}.pem` }], [served(HOST), served(HOST)]),
    ["passed"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(certificateTwins, script)).toEqual(expected);
});
