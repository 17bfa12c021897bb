import { expect, test } from "vitest";

import { binding, bindings, centralFile, centralStore, iisNode } from "../testing/evidence.ts";
import { RESET, served, wrong, type Script } from "../testing/examination.ts";
import { certfarmFarm, fileWith, iisFarm, share, SHOP_FILE, SHOP_WELL, UNUSABLE } from "../testing/file-scripts.ts";
import { HOST, SHOP, told } from "../testing/wire-scripts.ts";
import { certificateFileMissing } from "./certificate-file-missing.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes when there is a file", iisFarm([SHOP_FILE, fileWith("ok")], [RESET, RESET]), ["passed"]],
  ["passes when there is one of the wildcard", iisFarm([SHOP_FILE, centralFile("_.example.com.pfx")], [RESET, RESET]), ["passed"]],
  ["names the host", iisFarm([SHOP_FILE], [RESET, RESET]), ["error, certain: www.example.com has no certificate file"]],
  [
    "knows that a row for any name then answers",
    iisFarm([SHOP_FILE], [wrong("default"), wrong("default")]),
    ["error, certain: www.example.com has no certificate file"],
  ],
  ["says nothing when the host is served", iisFarm([SHOP_FILE], [served(HOST), served(HOST)]), ["passed"]],
  [
    "tells before anybody asks for the host",
    { ...iisFarm([SHOP_FILE], [RESET, RESET]), cells: {}, hosts: [HOST] },
    ["error, certain: www.example.com has no certificate file"],
  ],
  [
    "passes on certfarm when a certificate names the host",
    certfarmFarm([centralFile(`${SHOP}.pfx`, { label: HOST })], [UNUSABLE, UNUSABLE]),
    ["passed"],
  ],
  [
    "names the host on certfarm otherwise",
    certfarmFarm([SHOP_FILE], [UNUSABLE, UNUSABLE]),
    ["error, certain: www.example.com has no certificate file"],
  ],
  [
    "does not blame the store when one node's copy lacks the file",
    {
      cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: RESET } },
      evidence: { web1: iisNode([HOST]), web2: iisNode([HOST], { central: centralStore([]) }) },
    },
    ["passed"],
  ],
  [
    "is not asked for hosts whose binding names a certificate",
    {
      cells: { web1: { [HOST]: RESET } },
      evidence: {
        web1: iisNode([HOST], { bindings: bindings(binding(HOST, { central: false, sslFlags: 1 })), central: centralStore([SHOP_FILE]) }),
      },
    },
    ["passed"],
  ],
  [
    "is likely where only the folder and the wire are known",
    { cells: { web1: { [HOST]: RESET } }, changes: share(SHOP_FILE) },
    ["error, likely: www.example.com has no certificate file on web1"],
  ],
  [
    "says nothing there when the handshake succeeds",
    { cells: { web1: { [HOST]: served(HOST, { verified: "CERT_HAS_EXPIRED" }) } }, changes: share(SHOP_FILE) },
    ["passed"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(certificateFileMissing, script)).toEqual(expected);
});
