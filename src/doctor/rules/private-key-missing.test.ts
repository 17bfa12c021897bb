import { expect, test } from "vitest";

import { certfarmNode, hostRow } from "../testing/evidence.ts";
import { type Script } from "../testing/examination.ts";
import { certfarmFarm, certfarmFile, fileWith, SHOP_WELL, UNUSABLE } from "../testing/file-scripts.ts";
import { HOST, SHOP, told } from "../testing/wire-scripts.ts";
import { privateKeyMissing } from "./private-key-missing.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes on files that can be used", certfarmFile("ok"), ["passed"]],
  ["leaves other troubles to other rules", certfarmFile("malformed"), ["passed"]],
  ["names the file", certfarmFile("no-key"), ["error, certain: www.example.com.pfx holds no private key"]],
  [
    "names the node when only one has such a file",
    {
      ...certfarmFile("ok"),
      evidence: {
        web1: certfarmNode([HOST]),
        web2: certfarmNode([HOST], { central: { source: "certificates", files: [fileWith("no-key")] } }),
      },
    },
    ["error, certain: www.example.com.pfx holds no private key on web2"],
  ],
  [
    "finds it by a host's row as well",
    {
      ...certfarmFarm([fileWith("no-key")], [UNUSABLE, UNUSABLE], SHOP),
      evidence: {
        web1: certfarmNode([SHOP], {
          table: { source: "table", rows: [hostRow(SHOP, SHOP, { file: `${HOST}.pfx` })], unread: [] },
          central: { source: "certificates", files: [fileWith("no-key")] },
        }),
      },
    },
    ["error, certain: www.example.com.pfx holds no private key on web1"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(privateKeyMissing, script)).toEqual(expected);
});
