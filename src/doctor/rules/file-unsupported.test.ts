import { expect, test } from "vitest";

import { certfarmNode, hostRow } from "../testing/evidence.ts";
import { type Script } from "../testing/examination.ts";
import { certfarmFarm, certfarmFile, fileWith, SHOP_WELL, UNUSABLE } from "../testing/file-scripts.ts";
import { HOST, SHOP, told } from "../testing/wire-scripts.ts";
import { fileUnsupported } from "./file-unsupported.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes on files that can be used", certfarmFile("ok"), ["passed"]],
  ["leaves other troubles to other rules", certfarmFile("malformed"), ["passed"]],
  [
    "names the file",
    certfarmFile("unsupported-algorithm"),
    ["error, certain: www.example.com.pfx uses an algorithm that is not supported"],
  ],
  [
    "names the node when only one has such a file",
    {
      ...certfarmFile("ok"),
      evidence: {
        web1: certfarmNode([HOST]),
        web2: certfarmNode([HOST], { central: { source: "certificates", files: [fileWith("unsupported-algorithm")] } }),
      },
    },
    ["error, certain: www.example.com.pfx uses an algorithm that is not supported on web2"],
  ],
  [
    "finds it by a host's row as well",
    {
      ...certfarmFarm([fileWith("unsupported-algorithm")], [UNUSABLE, UNUSABLE], SHOP),
      evidence: {
        web1: certfarmNode([SHOP], {
          table: { source: "table", rows: [hostRow(SHOP, SHOP, { file: `${HOST}.pfx` })], unread: [] },
          central: { source: "certificates", files: [fileWith("unsupported-algorithm")] },
        }),
      },
    },
    ["error, certain: www.example.com.pfx uses an algorithm that is not supported on web1"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(fileUnsupported, script)).toEqual(expected);
});
