import { expect, test } from "vitest";

import { served, wrong, type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, second, told } from "../testing/wire-scripts.ts";
import { wrongCertificateForName } from "./wrong-certificate-for-name.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node",
    second({ [HOST]: { sni: wrong("other"), "no-sni": served("default") }, [SHOP]: served(SHOP) }),
    ["error, likely: web2 serves CN=other (6F746865) for www.example.com"],
  ],
  [
    "names every node when all do",
    { cells: { web1: { [HOST]: wrong("other"), [SHOP]: served(SHOP) }, web2: { [HOST]: wrong("other"), [SHOP]: served(SHOP) } } },
    ["error, likely: Every node serves CN=other (6F746865) for www.example.com"],
  ],
  [
    "leaves the default certificate to its rule",
    second({ [HOST]: { sni: wrong("default"), "no-sni": served("default") }, [SHOP]: served(SHOP) }),
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(wrongCertificateForName, script)).toEqual(expected);
});
