import { expect, test } from "vitest";

import { ask, at, served, type Script } from "../testing/examination.ts";
import { everywhere, fileWith, FORMER, iisFarm, SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { certificateExpired } from "./certificate-expired.ts";

const ended = served(HOST, { notAfter: at(-2), verified: "CERT_HAS_EXPIRED" });
const own = served("own", { dnsNames: [HOST], issuer: "CN=Other CA", notBefore: at(-31), notAfter: at(-1), verified: "CERT_HAS_EXPIRED" });

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: SHOP_WELL } }, ["passed"]],
  [
    "is one finding when every node does",
    everywhere(ended),
    ["error, certain: web1 and web2 serve an expired certificate for www.example.com"],
  ],
  [
    "names the node when others are fine",
    { cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: own } } },
    ["error, certain: web2 serves an expired certificate for www.example.com"],
  ],
  [
    "leaves a node that did not notice the renewal to its own rule",
    iisFarm([fileWith("ok")], [served(HOST), { ...FORMER, notAfter: at(-1) }]),
    ["passed"],
  ],
  [
    "leaves an expired certificate for another name to its own rule",
    everywhere(served("other", { notAfter: at(-2), verified: "CERT_HAS_EXPIRED" })),
    ["passed"],
  ],
  ["leaves an expired issuer to its own rule", everywhere(served(HOST, { verified: "CERT_HAS_EXPIRED" })), ["passed"]],
];

test("is the only finding when one node of three is fine, and says when that one ends", () => {
  const { diagnosis } = ask(certificateExpired, {
    cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: own }, web3: { [HOST]: own } },
  });
  expect(diagnosis.findings.map(({ code }) => code)).toEqual(["certificate-expired"]);
  expect(diagnosis.findings[0]?.proof.map(({ text }) => text)).toEqual([
    "6F776E00, valid until 2026-06-14: it ended 1 day ago",
    "web1 serves one that is valid until 2026-08-14",
  ]);
});

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(certificateExpired, script)).toEqual(expected);
});
