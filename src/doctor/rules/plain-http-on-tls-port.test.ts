import { expect, test } from "vitest";

import { type Script } from "../testing/examination.ts";
import { HTTP, SSH, WELL, both, second, through, told } from "../testing/wire-scripts.ts";
import { plainHttpOnTlsPort } from "./plain-http-on-tls-port.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  ["names the node", second(both(HTTP)), ["error, certain: web2 answers plain HTTP on 10.0.0.2:443"]],
  ["leaves another protocol to its rule", second(both(SSH)), ["passed"]],
  ["leaves a balancer whose nodes are well to the rule of the PROXY protocol", through(both(HTTP)), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(plainHttpOnTlsPort, script)).toEqual(expected);
});
