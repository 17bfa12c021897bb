import { expect, test } from "vitest";

import { centralStore, iisNode } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { centralStoreLocationDiffers } from "./central-store-location-differs.ts";

const HOST = "www.example.com";
const OLD = String.raw`\\oldfiles\certificates`;
const at = (location: string, access: NonNullable<ReturnType<typeof centralStore>["access"]> = { kind: "readable" }) =>
  iisNode([HOST], { central: centralStore([], { location, access }) });
const ok = { [HOST]: served(HOST) };

test("names the node that reads another place, and that place", () => {
  const { findings } = ask(centralStoreLocationDiffers, {
    cells: { web1: ok, web2: { [HOST]: RESET }, web3: ok },
    evidence: { web1: iisNode([HOST]), web2: at(OLD), web3: iisNode([HOST]) },
  });
  expect(findings).toMatchObject([
    {
      summary: String.raw`web2 takes central certificates from \\oldfiles\certificates, its peers from \\files\certificates`,
      severity: "error",
      nodes: ["web2"],
      explains: [{ node: "web2", host: HOST }],
      actions: [{ do: "set-central-store", node: "web2", location: String.raw`\\files\certificates` }],
    },
  ]);
});

test("explains an older certificate that the other place holds", () => {
  const { findings } = ask(centralStoreLocationDiffers, {
    cells: { web1: ok, web2: { [HOST]: served("older", { dnsNames: [HOST] }) }, web3: ok },
    evidence: { web1: iisNode([HOST]), web2: at(OLD), web3: iisNode([HOST]) },
  });
  expect(findings[0]?.explains).toHaveLength(1);
});

const cases: [string, Script, string | undefined][] = [
  [
    "of two nodes, that which cannot read its place is odd",
    { evidence: { web1: at(OLD, { kind: "failed", cause: "absent", message: "not found" }), web2: iisNode([HOST]) } },
    "web1",
  ],
  [
    "nothing fails: a warning",
    { cells: { web1: ok, web2: ok, web3: ok }, evidence: { web1: at(OLD), web2: iisNode([HOST]), web3: iisNode([HOST]) } },
    "web1 warning",
  ],
  [
    "other case and a slash at the end are the same place",
    { evidence: { web1: at(String.raw`\\FILES\Certificates` + "\\"), web2: iisNode([HOST]) } },
    undefined,
  ],
];
test.each(cases)("%s", (_name, script, expected) => {
  const { findings } = ask(centralStoreLocationDiffers, script);
  const [finding] = findings;
  expect(
    finding === undefined ? undefined : [...finding.nodes, ...(finding.severity === "error" ? [] : [finding.severity])].join(" "),
  ).toBe(expected);
});

test("does not apply to one node alone", () => {
  expect(ask(centralStoreLocationDiffers, { evidence: { web1: iisNode([HOST]) } }).status).toBe("not-applicable");
});
