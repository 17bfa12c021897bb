import { expect, test } from "vitest";

import { served, type Script } from "../testing/examination.ts";
import { HOST, WELL, second, told } from "../testing/wire-scripts.ts";
import { requestFails } from "./request-fails.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node and its status",
    second({ [HOST]: { sni: served(HOST), request: { status: 502 } } }),
    ["error, likely: web2 answers 502 for www.example.com"],
  ],
  [
    "names the node and how the request dies",
    second({ [HOST]: { sni: served(HOST), request: { problem: "reset before the answer" } } }),
    ["error, likely: web2 fails requests for www.example.com: reset before the answer"],
  ],
  [
    "is one finding when every node answers so",
    {
      cells: {
        web1: { [HOST]: { sni: served(HOST), request: { status: 500 } } },
        web2: { [HOST]: { sni: served(HOST), request: { status: 500 } } },
      },
    },
    ["error, likely: Every node answers 500 for www.example.com"],
  ],
  [
    "leaves HTTP.sys to its rule",
    second({ [HOST]: { sni: served(HOST), request: { status: 503, headers: { server: "Microsoft-HTTPAPI/2.0" } } } }),
    ["passed"],
  ],
  ["says nothing of a 404", second({ [HOST]: { sni: served(HOST), request: { status: 404 } } }), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(requestFails, script)).toEqual(expected);
});
