import { expect, test } from "vitest";

import { type Script } from "../testing/examination.ts";
import { HOST, WELL, resolving, told } from "../testing/wire-scripts.ts";
import { hostsFileOverride } from "./hosts-file-override.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when no name was resolved", { cells: { web1: WELL, web2: WELL } }, ["could-not-look"]],
  ["passes when names lead elsewhere", { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["10.0.0.1"] }) }, ["passed"]],
  [
    "names the host",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["127.0.0.1", "::1"] }) },
    ["warning, likely: www.example.com resolves to 127.0.0.1 and ::1 on the machine of the doctor"],
  ],
  [
    "says nothing when the nodes are on this machine",
    { cells: { "web1@127.0.0.1:8443": WELL }, changes: resolving({ [HOST]: ["127.0.0.1"] }) },
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(hostsFileOverride, script)).toEqual(expected);
});
