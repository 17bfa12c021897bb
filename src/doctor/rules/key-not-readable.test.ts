import { expect, test } from "vitest";

import type { InstalledCertificate, NodeEvidence } from "../evidence.ts";
import { binding, bindings, event, hostRow, iisNode, installed, table } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { keyNotReadable } from "./key-not-readable.ts";

const HOST = "www.example.com";
const node = (changes: Partial<InstalledCertificate>, events: NodeEvidence["events"] = []): NodeEvidence =>
  iisNode([HOST], {
    bindings: bindings(binding(HOST, { central: false, sslFlags: 1 })),
    table: table(hostRow(HOST)),
    certificates: [installed(HOST, changes)],
    ...(events === undefined ? {} : { events }),
  });
const unknownKey = (): NodeEvidence => {
  const { keyReadable: _readable, ...certificate } = installed(HOST);
  return { ...node({}), certificates: [certificate], events: [event("Schannel", 36870, "A fatal error occurred (0x8009030D)")] };
};
const cells = { web1: { [HOST]: RESET } };

const found: [string, NodeEvidence, string, string][] = [
  [
    "the key cannot be read",
    node({ keyReadable: false }),
    "web1 cannot read the private key of CN=www.example.com behind www.example.com:443",
    "certain",
  ],
  ["the key is not there", node({ hasKey: false }), "web1: CN=www.example.com behind www.example.com:443 has no private key", "certain"],
  ["Schannel alone says so", unknownKey(), "web1 cannot read the private key of CN=www.example.com behind www.example.com:443", "likely"],
];
test.each(found)("%s", (_name, web1, summary, certainty) => {
  expect(ask(keyNotReadable, { cells, evidence: { web1 } }).findings).toMatchObject([
    { summary, certainty, explains: [{ node: "web1", host: HOST }] },
  ]);
});

const others: [string, Script, string][] = [
  [
    "passes when the key can be read, whatever other certificates lead to in the log",
    { cells, evidence: { web1: node({}, [event("Schannel", 36870)]) } },
    "passed",
  ],
  [
    "passes when the row serves well",
    { cells: { web1: { [HOST]: served(HOST) } }, evidence: { web1: node({ keyReadable: false }) } },
    "passed",
  ],
  [
    "passes over certificates that no row names",
    { cells, evidence: { web1: iisNode([HOST], { certificates: [installed("x.example.com", { keyReadable: false })] }) } },
    "passed",
  ],
  ["cannot look without the stores", { evidence: { web1: { table: table(hostRow(HOST)) } } }, "could-not-look"],
];
test.each(others)("%s", (_name, script, status) => {
  expect(ask(keyNotReadable, script).status).toBe(status);
});
