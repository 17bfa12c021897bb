import { expect, test } from "vitest";

import { RESET, served, type Script } from "../testing/examination.ts";
import { HOST, REFUSED, SHOP, WELL, second, told } from "../testing/wire-scripts.ts";
import { nodeFailsSometimes } from "./node-fails-sometimes.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "by host: a port that takes some connections",
    second({ [HOST]: REFUSED, [SHOP]: served(SHOP) }),
    ["error, likely: web2 serves some connections to 10.0.0.2:443 and fails others"],
  ],
  [
    "by time: a host that was served at another time",
    second({ [HOST]: { sni: RESET, samples: [served(HOST), served(HOST)] }, [SHOP]: served(SHOP) }),
    ["error, likely: web2 serves some connections to 10.0.0.2:443 and fails others"],
  ],
  ["says nothing when it fails each time", second({ [HOST]: { sni: RESET, samples: [RESET, RESET] }, [SHOP]: served(SHOP) }), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(nodeFailsSometimes, script)).toEqual(expected);
});
