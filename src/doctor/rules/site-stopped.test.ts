import { expect, test } from "vitest";

import { served, wrong, type CellScript, type Script } from "../testing/examination.ts";
import { HOST, WELL, second, told } from "../testing/wire-scripts.ts";
import { siteStopped } from "./site-stopped.ts";

const httpApi = (status: number): CellScript => ({ sni: served(HOST), request: { status, headers: { server: "Microsoft-HTTPAPI/2.0" } } });

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  ["404: no site", second({ [HOST]: httpApi(404) }), ["error, certain: web2 has no started site that is bound to www.example.com"]],
  [
    "503: no application pool",
    second({ [HOST]: httpApi(503) }),
    ["error, certain: The application pool of www.example.com is stopped on web2"],
  ],
  [
    "says nothing of a 404 of a site",
    second({ [HOST]: { sni: served(HOST), request: { status: 404, headers: { server: "Microsoft-IIS/10.0" } } } }),
    ["passed"],
  ],
  [
    "says nothing when the certificate is wrong already",
    second({ [HOST]: { sni: wrong("other"), request: { status: 404, headers: { server: "Microsoft-HTTPAPI/2.0" } } } }),
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(siteStopped, script)).toEqual(expected);
});
