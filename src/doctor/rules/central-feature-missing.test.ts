import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { binding, bindings, centralStore, iisNode, table } from "../testing/evidence.ts";
import { ask, RESET, served } from "../testing/examination.ts";
import { centralFeatureMissing } from "./central-feature-missing.ts";

const HOST = "www.example.com";

test("names the server without the feature, and takes the settings for it from a peer", () => {
  const { findings } = ask(centralFeatureMissing, {
    cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: RESET } },
    evidence: { web1: iisNode([HOST]), web2: iisNode([HOST], { table: table(), central: { source: "settings", installed: false } }) },
  });
  expect(findings).toMatchObject([
    {
      summary: "web2 lacks the feature for central certificates (Web-CertProvider)",
      nodes: ["web2"],
      differs: true,
      explains: [{ node: "web2", host: HOST }],
      actions: [
        { do: "manual", node: "web2" },
        { do: "set-central-store", node: "web2", location: String.raw`\\files\certificates`, user: String.raw`EXAMPLE\certificates` },
        { do: "add-central-row", node: "web2" },
      ],
    },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    "the feature is not installed",
    `1 binding asks for central certificates: ${HOST}`,
    "web1 has it",
  ]);
});

const others: [string, Partial<NodeEvidence>, string][] = [
  ["passes where the feature is installed", iisNode([HOST]), "passed"],
  [
    "does not mind a server whose sites do not ask for it",
    iisNode([HOST], { bindings: bindings(binding(HOST, { central: false })), central: centralStore([], { installed: false }) }),
    "could-not-look",
  ],
  ["cannot look without the settings", { table: table() }, "could-not-look"],
  ["does not apply to certfarm", { make: "certfarm" }, "not-applicable"],
];
test.each(others)("%s", (_name, web1, status) => {
  expect(ask(centralFeatureMissing, { evidence: { web1 } }).status).toBe(status);
});
