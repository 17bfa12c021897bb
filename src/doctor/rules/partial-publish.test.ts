import { expect, test } from "vitest";

import type { CertificateFacts } from "../../pki/index.ts";
import type { CentralFile } from "../evidence.ts";
import { pattern } from "../testing/evidence.ts";
import { at, served, type Script } from "../testing/examination.ts";
import { holding, iisFarm, SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, SHOP, told } from "../testing/wire-scripts.ts";
import { partialPublish } from "./partial-publish.ts";

const names = { dnsNames: [HOST, SHOP].map(pattern) };
const fresh = (changes: Partial<CentralFile> = {}): CentralFile => holding(`${HOST}.pfx`, HOST, names, changes);
const former = (leaf: Partial<CertificateFacts> = {}): CentralFile =>
  holding(`${SHOP}.pfx`, "former", { ...names, notBefore: at(-80), notAfter: at(10), ...leaf });
const farm = (...files: readonly CentralFile[]): Script => iisFarm(files, [served(HOST), served(HOST)]);

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes when all files hold the new one", farm(fresh(), { ...fresh(), name: `${SHOP}.pfx` }), ["passed"]],
  [
    "names the hosts that were left behind",
    farm(fresh(), former()),
    ["warning, certain: shop.example.com has the former certificate: the renewal reached 1 of 2 files"],
  ],
  [
    "is an error when the former one has ended",
    farm(fresh(), former({ notAfter: at(-1) })),
    ["error, certain: shop.example.com has the former certificate: the renewal reached 1 of 2 files"],
  ],
  [
    "is a notice while the copies may still be written",
    farm(fresh({ modifiedAt: at(-5 / 1_440) }), former()),
    ["notice, certain: shop.example.com has the former certificate: the renewal reached 1 of 2 files"],
  ],
  ["passes on an RSA and an ECDSA certificate for the same names", farm(fresh(), former({ keyType: "ecdsa" })), ["passed"]],
  ["passes on certificates for other names", farm(fresh(), former({ dnsNames: [SHOP, "example.com"].map(pattern) })), ["passed"]],
  ["says nothing of hosts that were not asked for", { ...farm(fresh(), { ...former(), name: "old.example.com.pfx" }) }, ["passed"]],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(partialPublish, script)).toEqual(expected);
});
