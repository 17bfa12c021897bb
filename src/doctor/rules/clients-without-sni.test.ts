import { expect, test } from "vitest";

import { RESET, served, type Script } from "../testing/examination.ts";
import { HOST, WELL, alert, deep, second, told } from "../testing/wire-scripts.ts";
import { clientsWithoutSni } from "./clients-without-sni.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node of two like ones",
    deep([{ "no-sni": served("default") }, { "no-sni": RESET }]),
    ["notice, certain: Clients without SNI get nothing on web2, and a certificate on web1"],
  ],
  [
    "names the odd one of three, once",
    deep([{ "no-sni": served("default") }, { "no-sni": RESET }, { "no-sni": RESET }]),
    ["notice, certain: Clients without SNI get a certificate on web1 only, and nothing on web2 and web3"],
  ],
  ["says nothing when none serves them", deep([{ "no-sni": RESET }, { "no-sni": alert("unrecognized_name") }]), ["passed"]],
  [
    "says nothing of servers of different makes",
    deep([{ "no-sni": served("default") }, { "no-sni": RESET, request: { status: 200, headers: { server: "Caddy" } } }]),
    ["passed"],
  ],
  ["says nothing of a node that is ill anyway", second({ [HOST]: { sni: RESET, "no-sni": RESET } }), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(clientsWithoutSni, script)).toEqual(expected);
});
