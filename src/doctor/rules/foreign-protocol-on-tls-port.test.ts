import { expect, test } from "vitest";

import { type Script } from "../testing/examination.ts";
import { HTTP, SSH, WELL, both, second, told } from "../testing/wire-scripts.ts";
import { foreignProtocolOnTlsPort } from "./foreign-protocol-on-tls-port.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  ["names the node", second(both(SSH)), ["error, certain: web2 speaks a protocol that is not TLS on 10.0.0.2:443"]],
  ["leaves plain HTTP to its rule", second(both(HTTP)), ["passed"]],
  [
    "knows it by OpenSSL's words alone",
    second(both({ kind: "error", code: "ERR_SSL_PACKET_LENGTH_TOO_LONG", message: "packet length too long" })),
    ["error, certain: web2 speaks a protocol that is not TLS on 10.0.0.2:443"],
  ],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(foreignProtocolOnTlsPort, script)).toEqual(expected);
});
