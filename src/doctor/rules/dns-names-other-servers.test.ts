import { expect, test } from "vitest";

import { type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, resolving, through, told } from "../testing/wire-scripts.ts";
import { dnsNamesOtherServers } from "./dns-names-other-servers.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when no name was resolved", { cells: { web1: WELL, web2: WELL } }, ["could-not-look"]],
  [
    "passes when names lead to the nodes",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["10.0.0.1", "10.0.0.2"] }) },
    ["passed"],
  ],
  [
    "names the address that is not the farm's",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["10.0.0.1", "10.0.0.9"] }) },
    ["warning, likely: www.example.com leads also to 10.0.0.9, which is no address of the farm"],
  ],
  [
    "names the host that leads elsewhere while others do not",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["192.0.2.7"], [SHOP]: ["10.0.0.1"] }) },
    ["warning, likely: www.example.com leads to 192.0.2.7, which is no address of the farm"],
  ],
  [
    "cannot tell when the way in is not known",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["192.0.2.7"], [SHOP]: ["192.0.2.7"] }) },
    ["could-not-look"],
  ],
  ["takes the balancer's address for the farm's", { ...through(WELL), changes: resolving({ [HOST]: ["10.0.0.3"] }) }, ["passed"]],
  [
    "says nothing of a family in which no address of the farm is known",
    { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["10.0.0.1", "2001:db8::1"] }) },
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(dnsNamesOtherServers, script)).toEqual(expected);
});
