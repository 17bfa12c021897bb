import { expect, test } from "vitest";

import { served, wrong, type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, second, told } from "../testing/wire-scripts.ts";
import { defaultCertificateForName } from "./default-certificate-for-name.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "knows it by what clients without SNI get",
    second({ [HOST]: { sni: wrong("default"), "no-sni": served("default") }, [SHOP]: served(SHOP) }),
    ["error, likely: web2 has no certificate for www.example.com and falls back to CN=default (64656661)"],
  ],
  [
    "knows it by another host whose certificate it is",
    second({ [HOST]: wrong(SHOP), [SHOP]: served(SHOP) }),
    ["error, likely: web2 has no certificate for www.example.com and falls back to CN=shop.example.com (73686F70)"],
  ],
  [
    "leaves a certificate that only this host gets to its rule",
    second({ [HOST]: { sni: wrong("other"), "no-sni": served("default") }, [SHOP]: served(SHOP) }),
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(defaultCertificateForName, script)).toEqual(expected);
});
