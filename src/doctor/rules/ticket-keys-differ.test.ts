import { expect, test } from "vitest";

import { certfarmNode } from "../testing/evidence.ts";
import { served, type CellScript, type Script } from "../testing/examination.ts";
import { HOST, WELL, told } from "../testing/wire-scripts.ts";
import { ticketKeysDiffer } from "./ticket-keys-differ.ts";

const keys = (fingerprint: string) => certfarmNode([HOST], { ticketKeys: { source: "report", fingerprint } });
const offered = (resumed: boolean, sessionFrom: string, server = "nginx"): CellScript => ({
  sni: served(HOST),
  "own-session": served(HOST, { resumed: true }),
  "other-session": served(HOST, { resumed }),
  sessionFrom,
  request: { status: 200, headers: { server } },
});

const rows: [string, Script, string[]][] = [
  ["does not apply when no session was offered", { cells: { web1: WELL, web2: WELL } }, ["not-applicable"]],
  ["passes when the nodes say that they have the same keys", { evidence: { web1: keys("AA"), web2: keys("AA") } }, ["passed"]],
  [
    "names the node with other keys",
    { evidence: { web1: keys("AA"), web2: keys("BB"), web3: keys("AA") } },
    ["warning, certain: web2 has other ticket keys than web1 and web3"],
  ],
  [
    "passes when sessions are resumed",
    { cells: { web1: { [HOST]: offered(true, "web2") }, web2: { [HOST]: offered(true, "web1") } } },
    ["passed"],
  ],
  [
    "says nothing of servers that have nothing to do with each other",
    { cells: { web1: { [HOST]: offered(false, "web2") }, web2: { [HOST]: offered(false, "web1") } } },
    ["passed"],
  ],
  [
    "notes them behind one balancer",
    { cells: { web1: { [HOST]: offered(false, "web2") }, web2: { [HOST]: offered(false, "web1") }, lb: WELL }, balancers: ["lb"] },
    ["notice, certain: web1 and web2 do not resume sessions of other nodes"],
  ],
  [
    "names the one that does not while others do",
    {
      cells: {
        web1: { [HOST]: offered(false, "web3") },
        web2: { [HOST]: offered(true, "web1") },
        web3: { [HOST]: offered(false, "web2") },
      },
    },
    ["notice, certain: web3 does not resume sessions of other nodes"],
  ],
  [
    "does not compare servers of different makes",
    { cells: { web1: { [HOST]: offered(false, "web2") }, web2: { [HOST]: offered(true, "web1", "Caddy") } } },
    ["not-applicable"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(ticketKeysDiffer, script)).toEqual(expected);
});
