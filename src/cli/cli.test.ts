import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startCannedFarm } from "./testing/canned-farm.ts";
import { certfarm, MAIN } from "./testing/run-command.ts";

let folder = "";
const at = (name: string): string => join(folder, name);

const YAML = `farm: test
nodes:
  - { name: web1, addresses: [127.0.0.1], health: 127.0.0.1:9001 }
sites:
  - { name: www, bindings: ["https://www.example.com"], content: www }
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "certfarm-cli-"));
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...key,
    "-keyout",
    "k.pem",
    "-out",
    "c.pem",
    "-days",
    "30",
    "-subj",
    "/CN=www.example.com",
    "-addext",
    "subjectAltName=DNS:www.example.com",
  );
  openssl("pkcs12", "-export", "-inkey", "k.pem", "-in", "c.pem", "-out", "good.pfx", "-passout", "pass:pass word", "-name", "friendly");
  writeFileSync(at("password.txt"), "pass word\nnot this\n", { mode: 0o600 });
  writeFileSync(at("farm.yaml"), YAML);
  writeFileSync(at("bad.yaml"), YAML.replace("content:", "contnet:"));
  writeFileSync(at("torn.pfx"), Buffer.from([0x30, 0x82, 0x0a]));
  writeFileSync(at("empty.pfx"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("certs check", () => {
  it("says everything of a good file and exits with 0", async () => {
    const { code, out, err } = await certfarm(folder, ["certs", "check", "good.pfx", "--password-file", "password.txt"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^✓ good\.pfx {2}ok$/m);
    expect(out).toMatch(/^ {4}names +www\.example\.com$/m);
    expect(out).toMatch(/^ {4}key +P-256, matches$/m);
    expect(out).toMatch(/^ {4}thumbprint +[0-9A-F]{40} \(SHA-1\)$/m);
    expect(out).toMatch(/^ {4}friendly +friendly$/m);
    expect(out).not.toContain("\u001b");
  });

  it("gives an array with a status for each file, and exits with 1 when one is not usable", async () => {
    const files = ["good.pfx", "torn.pfx", "empty.pfx", "absent.pfx", ".", "c.pem"];
    const { code, out } = await certfarm(folder, ["certs", "check", ...files, "--password-file", "password.txt", "--json"]);
    const answer = JSON.parse(out) as readonly Record<string, unknown>[];
    expect(code).toBe(1);
    expect(answer.map(({ file, status }) => [file, status])).toEqual([
      ["good.pfx", "ok"],
      ["torn.pfx", "malformed"],
      ["empty.pfx", "malformed"],
      ["absent.pfx", "unreadable"],
      [".", "unreadable"],
      ["c.pem", "no-key"],
    ]);
    for (const { status, problem, remedy } of answer) if (status !== "ok") expect([problem, remedy]).not.toContain(undefined);
    expect(answer[0]).toMatchObject({
      facts: { format: "pkcs12", leaf: { dnsNames: ["www.example.com"], keyType: "ecdsa" }, keyMatches: true },
    });
    expect(out).not.toContain("pass word");
    expect(out).not.toContain("PRIVATE KEY");
  });

  it("says that the password is wrong, and that a password file cannot be read", async () => {
    expect((await certfarm(folder, ["certs", "check", "good.pfx"])).out).toMatch(/^✗ good\.pfx {2}wrong-password$/m);
    const { code, err } = await certfarm(folder, ["certs", "check", "good.pfx", "--password-file", "absent.txt"]);
    expect([code, err]).toEqual([2, expect.stringContaining("(CERTIFICATES_PASSWORDS_INVALID)") as string]);
  });

  it("shows control characters of a file's name as ?", async () => {
    const { out } = await certfarm(folder, ["certs", "check", "a\u001b[31mred\n.pfx"]);
    expect(out).toContain("✗ a?[31mred?.pfx");
  });
});

describe("config validate", () => {
  it("says that a file is valid", async () => {
    expect(await certfarm(folder, ["config", "validate", "farm.yaml"])).toEqual({ code: 0, out: "✓ farm.yaml is valid\n", err: "" });
  });

  it("names line, column and what was meant, and exits with 1", async () => {
    const { code, out } = await certfarm(folder, ["config", "validate", "bad.yaml"]);
    expect(code).toBe(1);
    expect(out).toMatch(/^bad\.yaml:5:\d+ error .*contnet.*content/m);
    expect(out).toMatch(/✗ bad\.yaml is not valid\n$/);
  });

  it("reads standard input, and answers in JSON", async () => {
    const { code, out } = await certfarm(folder, ["--json", "config", "validate", "-"], { input: "noodles: 1\n" });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      file: "-",
      kind: "invalid",
      problems: expect.arrayContaining([expect.objectContaining({ line: 1, suggestion: "nodes" })]) as unknown,
    });
  });

  it("says that a file cannot be read, in JSON too", async () => {
    const { code, out, err } = await certfarm(folder, ["config", "validate", "absent.yaml", "--json"]);
    expect([code, err]).toEqual([2, ""]);
    expect(JSON.parse(out)).toMatchObject({ error: { code: "CONFIG_UNREADABLE", remedy: expect.any(String) as string } });
  });
});

describe("without a running farm", () => {
  it.each([["status"], ["certs list"]])("%s says so and what to do", async (verb) => {
    const { code, out, err } = await certfarm(folder, verb.split(" "));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/no running farm is known in .* \(ADMIN_NOT_RUNNING\)\n {2}→ Start the farm with `certfarm up`/);
  });

  it("tells a farm that ended by its address", async () => {
    mkdirSync(at("ended/local"), { recursive: true });
    writeFileSync(at("ended/local/token"), `${"t".repeat(43)}\n`);
    writeFileSync(at("ended/local/admin.json"), JSON.stringify({ url: "http://127.0.0.1:1", tokenFile: at("ended/local/token") }));
    const byOption = await certfarm(folder, ["status", "--farm", "ended"]);
    expect(byOption.err).toMatch(/http:\/\/127\.0\.0\.1:1 does not answer: nothing listens there \(ADMIN_NOT_RUNNING\)/);
    const byEnvironment = await certfarm(folder, ["status"], { env: { CERTFARM_FARM: at("ended") } });
    expect(byEnvironment.err).toBe(byOption.err);
    const byFolder = await certfarm(at("ended"), ["status"]);
    expect(byFolder.err).toBe(byOption.err);
  });

  it("says that admin.json is damaged", async () => {
    mkdirSync(at("damaged/local"), { recursive: true });
    writeFileSync(at("damaged/local/admin.json"), "{");
    expect((await certfarm(folder, ["status", "--farm", "damaged"])).err).toContain("(ADMIN_FILES_UNUSABLE)");
  });
});

it("prints the version, and the help of the roles that are no clients", async () => {
  expect((await certfarm(folder, ["--version"])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect((await certfarm(folder, ["node", "--help"])).out).toContain("Usage: certfarm node [options]");
});

describe("repair on a terminal", () => {
  const plan = {
    at: 0,
    findings: [],
    nodes: [
      {
        node: "web2",
        steps: [
          {
            id: "S-1",
            findings: ["F-1"],
            action: { do: "add-central-row", node: "web2", port: 443 },
            text: "Add the row",
            changes: "It is there.",
          },
        ],
        mends: [],
      },
    ],
    refused: [],
    manual: [],
    interrupted: [],
  };
  const farm = () =>
    startCannedFarm({
      "repair.plan": () => ({ result: plan }),
      "repair.run": () => ({ result: { outcome: "mended", recovered: [], plan } }),
    });

  it.each([
    ["yes", "y\n", 0, ["repair.plan", "repair.run"]],
    ["no", "n\n", 4, ["repair.plan"]],
    ["an empty line", "\n", 4, ["repair.plan"]],
    ["the end of input", "\u0004", 4, ["repair.plan"]],
    ["Ctrl-C", "\u0003", 4, ["repair.plan"]],
  ])("asks, and %s counts", async (_name, answer, code, asked) => {
    const canned = await farm();
    try {
      const outcome = await onTerminal(["repair", ...canned.options], { prompt: "Do 1 step on 1 node? [y/N]", answer });
      expect([outcome, canned.asked.map(({ name }) => name)]).toEqual([code, asked]);
    } finally {
      await canned.close();
    }
  });
});

/** Runs the command on a pseudo-terminal, answers when it asks, and gives its exit code. */
function onTerminal(args: readonly string[], { prompt, answer }: { readonly prompt: string; readonly answer: string }): Promise<number> {
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["-qefc", words, "/dev/null"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  let seen = "";
  child.stdout.on("data", (chunk: Buffer) => {
    const asked = seen.includes(prompt);
    seen += chunk.toString();
    if (!asked && seen.includes(prompt)) child.stdin.write(answer);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? -1));
  });
}

describe("up", () => {
  it("says that a file cannot be read, and exits with 2", async () => {
    const { code, err } = await certfarm(folder, ["up", "absent.yaml"]);
    expect([code, err]).toEqual([2, expect.stringContaining("CONFIG_UNREADABLE") as string]);
  });

  it("names the lines of a file that is not valid, and starts nothing", async () => {
    const { code, err } = await certfarm(folder, ["up", "bad.yaml"]);
    expect(code).toBe(1);
    expect(err).toMatch(/bad\.yaml:5:\d+ error/);
  });
});
