import { expect, test } from "vitest";

import { centralStore, iisNode } from "../testing/evidence.ts";
import { ask, RESET, served } from "../testing/examination.ts";
import { centralStoreUnreachable } from "./central-store-unreachable.ts";

const HOST = "www.example.com";
const failing = (cause: "logon" | "absent" | "unreachable", location = String.raw`\\files\certificates`) =>
  iisNode([HOST], {
    central: centralStore([], { location, access: { kind: "failed", cause, message: "the network path was not found" } }),
  });
const ok = { [HOST]: served(HOST) };
const bad = { [HOST]: RESET };

test("names the node that cannot reach the folder, and the one that does", () => {
  const { findings } = ask(centralStoreUnreachable, {
    cells: { web1: ok, web2: bad },
    evidence: { web1: iisNode([HOST]), web2: failing("unreachable") },
  });
  expect(findings).toMatchObject([
    {
      summary: String.raw`web2 cannot reach \\files\certificates`,
      nodes: ["web2"],
      differs: true,
      explains: [{ node: "web2", host: HOST }],
    },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual(["the network path was not found", "web1 reads its central store"]);
});

test("nodes that cannot reach the same folder are one finding", () => {
  const { findings } = ask(centralStoreUnreachable, {
    cells: { web1: bad, web2: bad },
    evidence: { web1: failing("unreachable"), web2: failing("unreachable", String.raw`\\FILES\certificates`) },
  });
  expect(findings).toMatchObject([{ nodes: ["web1", "web2"], differs: false, explains: [{}, {}] }]);
});

test("a folder that is gone on every node is named so", () => {
  const { findings } = ask(centralStoreUnreachable, { evidence: { web1: failing("absent"), web2: failing("absent") } });
  expect(findings[0]?.summary).toBe(String.raw`web1 and web2: \\files\certificates does not exist`);
});

const others: [string, ReturnType<typeof failing>, string][] = [
  ["passes where the folder is read", iisNode([HOST]), "passed"],
  ["leaves a failed logon to the rule for it", failing("logon"), "passed"],
  ["cannot look where reading was not tried", iisNode([HOST], { central: { source: "settings", enabled: true } }), "could-not-look"],
];
test.each(others)("%s", (_name, web1, status) => {
  expect(ask(centralStoreUnreachable, { evidence: { web1 } }).status).toBe(status);
});
