import { expect, test } from "vitest";

import { certfarmNode, hostRow } from "../testing/evidence.ts";
import { type Script } from "../testing/examination.ts";
import { certfarmFarm, certfarmFile, fileWith, SHOP_WELL, UNUSABLE } from "../testing/file-scripts.ts";
import { HOST, SHOP, told } from "../testing/wire-scripts.ts";
import { keyMismatch } from "./key-mismatch.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes on files that can be used", certfarmFile("ok"), ["passed"]],
  ["leaves other troubles to other rules", certfarmFile("malformed"), ["passed"]],
  ["names the file", certfarmFile("key-mismatch"), ["error, certain: www.example.com.pfx holds a key that is not its certificate's"]],
  [
    "names the node when only one has such a file",
    {
      ...certfarmFile("ok"),
      evidence: {
        web1: certfarmNode([HOST]),
        web2: certfarmNode([HOST], { central: { source: "certificates", files: [fileWith("key-mismatch")] } }),
      },
    },
    ["error, certain: www.example.com.pfx holds a key that is not its certificate's on web2"],
  ],
  [
    "finds it by a host's row as well",
    {
      ...certfarmFarm([fileWith("key-mismatch")], [UNUSABLE, UNUSABLE], SHOP),
      evidence: {
        web1: certfarmNode([SHOP], {
          table: { source: "table", rows: [hostRow(SHOP, SHOP, { file: `${HOST}.pfx` })], unread: [] },
          central: { source: "certificates", files: [fileWith("key-mismatch")] },
        }),
      },
    },
    ["error, certain: www.example.com.pfx holds a key that is not its certificate's on web1"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(keyMismatch, script)).toEqual(expected);
});
