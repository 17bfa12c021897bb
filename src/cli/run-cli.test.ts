import { spawnSync } from "node:child_process";

import { describe, expect, it, test } from "vitest";

import { FarmError } from "../base/index.ts";
import { runCli } from "./run-cli.ts";
import { testHost } from "./testing/test-host.ts";

/** Runs a call in this process. */
async function run(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const host = testHost();
  const code = await runCli(args, host);
  return { code, out: host.written.out, err: host.written.err };
}

describe("calls that are wrong", () => {
  it.each([
    ["an unknown command, with the one that was meant", ["statsu"], /unknown command 'statsu'\n\(Did you mean status\?\) \(USAGE\)/],
    ["an unknown option", ["status", "--wacth"], /unknown option '--wacth'/],
    ["a missing argument", ["drain"], /missing required argument 'node'/],
    ["a missing command", ["config"], /a command is missing/],
    ["a port that is none", ["up", "--port", "70000"], /is invalid\. It is not a port/],
    ["a revision that is none", ["config", "diff", "x"], /not a whole number/],
    ["explain without a host", ["explain"], /name the host to explain, or give --no-sni/],
    [
      "an address of the admin API that is none",
      ["status", "--admin", "nonsense", "--token-file", "password.txt"],
      /not the address of an admin API/,
    ],
  ])("%s", async (_name, args, message) => {
    const { code, err } = await run(...args);
    expect(code).toBe(2);
    expect(err).toMatch(message);
    expect(err).toMatch(/\n {2}→ .+\n$/);
  });
});

describe("help", () => {
  it.each([
    ["up"],
    ["node"],
    ["balancer"],
    ["admin"],
    ["status"],
    ["config"],
    ["config apply"],
    ["config plan"],
    ["config show"],
    ["config history"],
    ["config diff"],
    ["config rollback"],
    ["config validate"],
    ["certs"],
    ["certs list"],
    ["certs check"],
    ["bindings"],
    ["bindings show"],
    ["bindings add"],
    ["bindings delete"],
    ["explain"],
    ["refusals"],
    ["drain"],
    ["undrain"],
    ["prove"],
    ["completion"],
    ["doctor"],
    ["doctor rules"],
    ["doctor rule"],
    ["repair"],
    ["repair history"],
    ["iis"],
    ["iis collect"],
    ["iis import"],
  ])("%s has examples", async (verb) => {
    const { code, out } = await run(...verb.split(" "), "--help");
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^Usage: certfarm ${verb}`));
    expect(out).toMatch(new RegExp(`\nExamples:\n  \\$ certfarm ${verb}`));
  });
});

describe("completion", () => {
  it.each([
    ["certfarm", "sta", "status"],
    ["certfarm config", "roll", "rollback"],
    ["certfarm config apply", "--allow", "--allow-broken"],
    ["certfarm --json bindings", "sh", "show"],
    ["certfarm doctor www.example.com", "--prom", "--prometheus"],
    ["certfarm doctor", "rule", "rules\nrule"],
    ["certfarm repair", "hist", "history"],
    ["certfarm iis", "coll", "collect"],
  ])("in bash: `%s %s` becomes %s", async (words, current, wanted) => {
    const { out } = await run("completion", "bash");
    const all = [...words.split(" "), current];
    const script = `${out}\nCOMP_WORDS=(${all.join(" ")}); COMP_CWORD=${all.length - 1}; _certfarm; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
    expect([stdout.trim(), stderr]).toEqual([wanted, ""]);
  });

  it.each([["zsh"], ["fish"]])("in %s names every command", async (shell) => {
    const { code, out } = await run("completion", shell);
    expect(code).toBe(0);
    for (const name of ["status", "rollback", "undrain", "completion"]) expect(out).toContain(name);
  });
});

test("what a role throws is told with its code, its remedy and its exit code", async () => {
  const host = testHost({ up: () => Promise.reject(new FarmError("STORE_CONFLICT", "somebody was first")) });
  expect(await runCli(["up"], host)).toBe(3);
  expect(host.written.err).toMatch(/^certfarm: somebody was first \(STORE_CONFLICT\)\n {2}→ /);
});

test("what a message quotes from elsewhere cannot reach the terminal", async () => {
  const host = testHost({ up: () => Promise.reject(new FarmError("STORE_CORRUPT", "the file a\u001b[2Jb\u202e is damaged")) });
  await runCli(["up"], host);
  expect(host.written.err).toContain("the file a?[2Jb? is damaged (STORE_CORRUPT)");
});

test("up gets what it was told, with the defaults of the demo farm", async () => {
  const given: unknown[] = [];
  const host = testHost({ up: (told) => Promise.resolve(void given.push(told)).then(() => 7) });
  expect(await runCli(["up"], host)).toBe(7);
  await runCli(["up", "my.yaml", "--port", "9000", "--admin-port", "9100", "--demo-root", "d"], host);
  expect(given).toEqual([
    { basePort: 8000, demoRoot: "demo-farm", farmKey: {} },
    { farmFile: "my.yaml", basePort: 9000, adminPort: 9100, demoRoot: "d", farmKey: {} },
  ]);
  await runCli(["up", "--farm-key-file", "/etc/key"], host);
  expect(given[2]).toMatchObject({ farmKey: { file: "/etc/key" } });
});

test("without a command the help goes to standard error, and the call is wrong", async () => {
  const { code, out, err } = await run();
  expect([code, out]).toEqual([2, ""]);
  expect(err).toContain("Usage: certfarm");
});
