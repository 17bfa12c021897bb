import { expect, test } from "vitest";

import type { NodeEvidence, SystemEvidence } from "../evidence.ts";
import { certfarmNode, iisNode } from "../testing/evidence.ts";
import { ask, at, RESET, served } from "../testing/examination.ts";
import { startedBeforeStore } from "./started-before-store.ts";

const HOST = "www.example.com";
const startedAt = (days: number): SystemEvidence => ({
  source: "system",
  name: "Windows Server 2022",
  version: "10",
  startedAt: at(days),
});
const script = (web2: NodeEvidence) => ({
  cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: RESET } },
  evidence: { web1: iisNode([HOST]), web2 },
});

test("names the server that started lately, and says what else it may be and what decides", () => {
  const { findings } = ask(startedBeforeStore, script(iisNode([HOST], { system: startedAt(-0.25) })));
  expect(findings).toMatchObject([
    {
      summary: "web2 serves no central certificate since it started",
      certainty: "likely",
      others: ["web2 does not have the password of the certificate files"],
      decides: "iisreset on web2: if the names stay dead, it is the password",
      explains: [{ node: "web2", host: HOST }],
    },
  ]);
  expect(findings[0]?.proof[0]?.text).toBe("started 2026-06-15T06:00:00.000Z");
});

test.each([
  ["passes on a server that has been up for weeks", iisNode([HOST], { system: startedAt(-20) })],
  ["passes on certfarm nodes, which say why they refuse", certfarmNode([HOST], { system: startedAt(-0.25) })],
])("%s", (_name, web2) => {
  expect(ask(startedBeforeStore, script(web2)).status).toBe("passed");
});
