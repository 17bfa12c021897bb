import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { event, iisNode, table } from "../testing/evidence.ts";
import { ask, RESET, served } from "../testing/examination.ts";
import { legacyBindingData } from "./legacy-binding-data.ts";

const HOST = "www.example.com";
const legacy = (changes: Partial<NodeEvidence> = {}): NodeEvidence =>
  iisNode([HOST], { configuration: { source: "applicationHost.config", legacyBindingData: true }, ...changes });

test("a server that already lost its rows: what they served is explained, and they are put back after the property is out", () => {
  const { findings } = ask(legacyBindingData, {
    cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: RESET } },
    evidence: { web1: iisNode([HOST]), web2: legacy({ table: table(), events: [event("HttpEvent", 15300)] }) },
  });
  expect(findings).toMatchObject([
    {
      summary: "web2 loses rows of its table at every start",
      severity: "error",
      actions: [{ do: "manual" }, { do: "add-central-row", node: "web2", port: 443 }],
      explains: [{ node: "web2", host: HOST }],
    },
  ]);
});

test("servers that have not started since are warned of in one finding", () => {
  const { findings } = ask(legacyBindingData, { evidence: { web1: legacy(), web2: legacy() } });
  expect(findings).toMatchObject([
    {
      summary: "web1 and web2 will lose rows of their tables at the next start",
      severity: "warning",
      nodes: ["web1", "web2"],
      explains: [],
    },
  ]);
});

test.each([
  ["passes without the property", iisNode([HOST]), "passed"],
  ["cannot look without the configuration", { table: table() }, "could-not-look"],
  ["does not apply to nginx", { make: "nginx" as const }, "not-applicable"],
])("%s", (_name, web1, status) => {
  expect(ask(legacyBindingData, { evidence: { web1 } }).status).toBe(status);
});
