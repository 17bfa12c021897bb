import { expect, test } from "vitest";

import { centralFile } from "../testing/evidence.ts";
import { served, wrong, type Script } from "../testing/examination.ts";
import { certfarmFarm, fileWith, iisFarm, SHOP_FILE, SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { certificateLacksHost } from "./certificate-lacks-host.ts";

const old = centralFile(`${HOST}.pfx`, { label: "old.example.org" });
const shown = wrong("old.example.org");

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes when the certificate names the host", iisFarm([SHOP_FILE, fileWith("ok")], [served(HOST), served(HOST)]), ["passed"]],
  [
    "names the file",
    iisFarm([SHOP_FILE, old], [shown, shown]),
    ["error, certain: www.example.com.pfx serves www.example.com, which its certificate does not name"],
  ],
  [
    "names it on certfarm, too",
    certfarmFarm([SHOP_FILE, old], [shown, shown]),
    ["error, certain: www.example.com.pfx serves www.example.com, which its certificate does not name"],
  ],
  [
    "looks at what is served: another wrong certificate has another cause",
    iisFarm([SHOP_FILE, old], [wrong("other"), wrong("other")]),
    ["passed"],
  ],
  [
    "knows wildcards among the names",
    iisFarm([SHOP_FILE, centralFile(`${HOST}.pfx`, { label: "*.example.com" })], [served(HOST), served(HOST)]),
    ["passed"],
  ],
  [
    "passes when another file of the host names it",
    certfarmFarm([old, centralFile(`${HOST}.pem`, { label: HOST })], [shown, shown]),
    ["passed"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(certificateLacksHost, script)).toEqual(expected);
});
