import { expect, test } from "vitest";

import type { CentralEvidence } from "../evidence.ts";
import { centralStore, iisNode } from "../testing/evidence.ts";
import { ask, RESET, served } from "../testing/examination.ts";
import { centralStoreCredential } from "./central-store-credential.ts";

const HOSTS = ["www.example.com", "shop.example.com"];
const failing = (cause: "logon" | "denied" | "unreachable", changes: Partial<CentralEvidence> = {}) =>
  iisNode(HOSTS, { central: centralStore([], { access: { kind: "failed", cause, message: "error 1326" }, ...changes }) });
const cells = {
  web1: { "www.example.com": served("www.example.com"), "shop.example.com": served("shop.example.com") },
  web2: { "www.example.com": served("www.example.com"), "shop.example.com": RESET },
};

const cases: [string, ReturnType<typeof failing>, string][] = [
  ["a logon that fails", failing("logon"), String.raw`web2 cannot log on as EXAMPLE\certificates to read \\files\certificates`],
  ["reading that is denied", failing("denied"), String.raw`web2 may not read \\files\certificates as EXAMPLE\certificates`],
];
test.each(cases)("names the node and account of %s; what it has in memory still works", (_name, web2, summary) => {
  const { findings } = ask(centralStoreCredential, { cells, evidence: { web1: iisNode(HOSTS), web2 } });
  expect(findings).toMatchObject([
    { summary, nodes: ["web2"], severity: "error", differs: true, explains: [{ node: "web2", host: "shop.example.com" }] },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toContain("web1 reads it");
});

const others: [string, ReturnType<typeof failing>, string][] = [
  ["passes where the folder is read", iisNode(HOSTS), "passed"],
  ["leaves a store that does not answer to the rule for it", failing("unreachable"), "passed"],
  ["cannot look where reading was not tried", iisNode(HOSTS, { central: { source: "settings", enabled: true } }), "could-not-look"],
];
test.each(others)("%s", (_name, web1, status) => {
  expect(ask(centralStoreCredential, { evidence: { web1 } }).status).toBe(status);
});
