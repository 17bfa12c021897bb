import { expect, test } from "vitest";

import { centralFile } from "../testing/evidence.ts";
import { served, type Script } from "../testing/examination.ts";
import { HOST, SHOP, WELL, told } from "../testing/wire-scripts.ts";
import { tlsInterception } from "./tls-interception.ts";

const signed = (host: string, issuer = "CN=Example Inspection") =>
  served(host, { issuer, verified: "SELF_SIGNED_CERT_IN_CHAIN", sha256: `${host.length}`.padEnd(64, "A") });
const inspected = (issuer?: string): Script["cells"] => ({
  web1: { [HOST]: signed(HOST, issuer), "a.example.org": signed("a.example.org", issuer) },
});
const store = (label: string) => ({ central: { source: "share", files: [centralFile(`${label}.pfx`)] } });

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  ["cannot tell a private authority from it without the farm's files", { cells: inspected() ?? {} }, ["could-not-look"]],
  [
    "is told by files that nobody shows",
    { cells: inspected() ?? {}, changes: store(HOST) },
    [
      "error, likely: Every certificate that was seen is issued by CN=Example Inspection: something between the doctor and the nodes opens TLS",
    ],
  ],
  [
    "is told by the name of a device",
    { cells: inspected("CN=FG200F,O=Fortinet") ?? {} },
    [
      "error, likely: Every certificate that was seen is issued by CN=FG200F,O=Fortinet: something between the doctor and the nodes opens TLS",
    ],
  ],
  [
    "passes when a file holds what is shown",
    {
      cells: {
        web1: {
          [HOST]: served(HOST, { verified: "SELF_SIGNED_CERT_IN_CHAIN" }),
          [SHOP]: served(SHOP, { verified: "SELF_SIGNED_CERT_IN_CHAIN" }),
        },
      },
      changes: store(HOST),
    },
    ["passed"],
  ],
  [
    "passes when some certificate is trusted",
    { cells: { web1: { [HOST]: signed(HOST), [SHOP]: served(SHOP) } }, changes: store("none.example.com") },
    ["passed"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(tlsInterception, script)).toEqual(expected);
});
