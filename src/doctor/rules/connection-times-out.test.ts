import { expect, test } from "vitest";

import { type Script } from "../testing/examination.ts";
import { HANGS, SILENT, WELL, both, second, told } from "../testing/wire-scripts.ts";
import { connectionTimesOut } from "./connection-times-out.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  ["names the node that keeps silent", second(both(SILENT)), ["error, likely: web2 does not answer connections to 10.0.0.2:443"]],
  [
    "is one finding when every node keeps silent",
    { cells: { web1: both(SILENT), web2: both(SILENT) } },
    ["error, likely: web1 and web2 do not answer connections to 10.0.0.1:443 and 10.0.0.2:443"],
  ],
  ["leaves a silence after the connection to another rule", second(both(HANGS)), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(connectionTimesOut, script)).toEqual(expected);
});
