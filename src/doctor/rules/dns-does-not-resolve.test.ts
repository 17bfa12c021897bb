import { expect, test } from "vitest";

import type { HostName } from "../../base/index.ts";
import { type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, resolving, told } from "../testing/wire-scripts.ts";
import { dnsDoesNotResolve } from "./dns-does-not-resolve.ts";

const lost: NonNullable<Script["changes"]> = {
  hosts: [
    { name: HOST as HostName, resolved: { addresses: [], problem: "the name does not exist" } },
    ...(resolving({ [SHOP]: ["10.0.0.1"] }).hosts ?? []),
  ],
};

const rows: [string, Script, string[]][] = [
  ["cannot look when no name was resolved", { cells: { web1: WELL, web2: WELL } }, ["could-not-look"]],
  ["passes when all resolve", { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["10.0.0.1"] }) }, ["passed"]],
  [
    "names the host",
    { cells: { web1: WELL }, changes: lost },
    ["warning, certain: www.example.com does not resolve: the name does not exist"],
  ],
  [
    "does not apply where no name leads to the farm",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["192.0.2.1"] }) },
    ["not-applicable"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(dnsDoesNotResolve, script)).toEqual(expected);
});
