import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { centralStore, iisNode, table } from "../testing/evidence.ts";
import { ask, RESET, served } from "../testing/examination.ts";
import { centralStoreDisabled } from "./central-store-disabled.ts";

const HOST = "www.example.com";

test("names the node, turns the store on as a peer has it, and brings back the row that went with it", () => {
  const { findings } = ask(centralStoreDisabled, {
    cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: RESET } },
    evidence: {
      web1: iisNode([HOST]),
      web2: iisNode([HOST], { table: table(), central: { source: "settings", installed: true, enabled: false } }),
    },
  });
  expect(findings).toMatchObject([
    {
      summary: "web2 has the central store turned off",
      nodes: ["web2"],
      remedy: String.raw`Turn the central store on on web2, with the location of web1: \\files\certificates, and add the central row if it does not come back.`,
      explains: [{ node: "web2", host: HOST }],
      actions: [
        { do: "set-central-store", node: "web2", location: String.raw`\\files\certificates`, user: String.raw`EXAMPLE\certificates` },
        { do: "add-central-row", node: "web2", port: 443 },
      ],
    },
  ]);
});

const others: [string, Partial<NodeEvidence>, string][] = [
  ["passes where it is on", iisNode([HOST]), "passed"],
  ["cannot look where the switch is not known", iisNode([HOST], { central: { source: "settings" } }), "could-not-look"],
  [
    "leaves a server without the feature to the rule for it",
    iisNode([HOST], { central: centralStore([], { installed: false, enabled: false }) }),
    "could-not-look",
  ],
];
test.each(others)("%s", (_name, web1, status) => {
  expect(ask(centralStoreDisabled, { evidence: { web1 } }).status).toBe(status);
});
