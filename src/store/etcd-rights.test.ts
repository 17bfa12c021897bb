import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

import { etcdRightsScript } from "./etcd-rights.ts";

const script = etcdRightsScript({ nodes: ["web1", "web2"], hasBalancer: true });

/** What a shell makes of it, with an etcdctl that only says what it was told. */
const said = (prefix: string): string[] =>
  execFileSync("sh", ["-s"], { input: `etcdctl() { echo "$*"; }\n${script}`, env: { PREFIX: prefix }, encoding: "utf8" })
    .trim()
    .split("\n");

it("gives each process a user and a role of its own", () => {
  const made = said("farms/one").filter((line) => line.startsWith("user add"));
  expect(made).toEqual(
    ["certfarm-admin", "certfarm-node-web1", "certfarm-node-web2", "certfarm-balancer"].map((role) => `user add ${role}`),
  );
});

it("lets nobody but the admin write beyond its own keys", () => {
  const writing = said("farms/one").filter((line) => line.includes(" readwrite "));
  expect(writing.filter((line) => line.includes("node-web1"))).toEqual(
    [
      "farms/one/keys/nodes/web1",
      "farms/one/keys/requests/web1/ farms/one/keys/requests/web10",
      "farms/one/keys/answers/web1/ farms/one/keys/answers/web10",
      "farms/one/keys/secrets/holders/web1",
      "farms/one/keys/self-test/ farms/one/keys/self-test0",
      "farms/one/meta/removal",
    ].map((keys) => `role grant-permission certfarm-node-web1 readwrite ${keys}`),
  );
  expect(writing.filter((line) => line.includes("balancer"))).toEqual([]);
  expect(writing[0]).toBe("role grant-permission certfarm-admin readwrite farms/one/ farms/one0");
});

it("has no password in it", () => {
  expect(script).not.toMatch(/pass(?:word)?=|--new-user-password/);
});
