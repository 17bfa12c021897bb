import { describe, expect, it } from "vitest";

import type { Transport } from "../../admin/client.ts";
import type { CliHost } from "../host.ts";
import { runCli } from "../run-cli.ts";
import { testHost } from "../testing/test-host.ts";

/** Runs a call whose work is done here and comes to this. */
async function run(args: readonly string[], result: unknown, changes: Partial<CliHost> = {}) {
  const asked: unknown[] = [];
  const local: Transport = (name, input) => Promise.resolve(void asked.push({ name, input })).then(() => result);
  const host = testHost({ local: () => Promise.resolve(local), ...changes });
  const code = await runCli(args, host);
  return { code, ...host.written, asked };
}

describe("iis collect", () => {
  it("prints the script alone on standard output, and says on standard error what to do with it", async () => {
    const { code, out, err } = await run(["iis", "collect"], { fileName: "collect-evidence.ps1", text: "# script\r\n" });
    expect([code, out]).toEqual([0, "# script\r\n"]);
    expect(err).toMatch(/-File collect-evidence\.ps1\n.*certfarm doctor --evidence/);
  });
});

describe("iis import", () => {
  const result = { yaml: "farm: iis\n", notes: [{ line: 12, text: "ftp binding \u001b[2J" }, { text: "application pools" }] };

  it("prints farm.yaml, and line by line what has no counterpart", async () => {
    const { code, out, err, asked } = await run(["iis", "import", "applicationHost.config", "--evidence", "web1.json,web2.json"], result);
    expect([code, out]).toEqual([0, "farm: iis\n"]);
    expect(err).toBe(
      "applicationHost.config:12: ftp binding ?[2J\napplicationHost.config: application pools\n2 things have no counterpart: see above\n",
    );
    expect(asked).toEqual([{ name: "iis.import", input: { file: "applicationHost.config", evidence: ["web1.json", "web2.json"] } }]);
  });

  it("in JSON has both", async () => {
    expect(JSON.parse((await run(["iis", "import", "a.config", "--json"], result)).out)).toEqual(result);
  });

  it("is safe on a terminal", async () => {
    let written = "";
    const out = { write: (text: string) => void (written += text), isTerminal: true, columns: 80 };
    await run(["iis", "import", "a.config"], { yaml: "farm: a\u009bb\nnodes: []\n", notes: [] }, { out });
    expect(written).toBe("farm: a?b\nnodes: []\n");
  });
});

describe("explain with evidence", () => {
  const served = {
    outcome: "serve",
    thumbprint: "A".repeat(40),
    lines: ["1. no ip row for 10.0.0.4:443", "✓ central:443 serves www.example.com.pfx"],
  };
  const refused = { outcome: "reset", lines: ["✗ no row matches: the handshake is reset"] };
  const answer = (name: string, value: unknown) => ({ node: name, kind: "answer", answer: value });

  it("shows the trail of each server, those that are alike together, and exits with 1 when one refuses", async () => {
    const nodes = [answer("web1", served), answer("web2", served), answer("web3", refused)];
    const { code, out, asked } = await run(["explain", "www.example.com", "--evidence", "evidence", "--share", "certs"], { nodes });
    expect(code).toBe(1);
    expect(out).toContain(
      "web1, web2:\n  a client that asks for www.example.com on port 443\n  1. no ip row for 10.0.0.4:443\n  ✓ central:443",
    );
    expect(out).toContain("web3:\n  a client that asks for www.example.com on port 443\n  ✗ no row matches");
    expect(asked).toEqual([
      { name: "explain.evidence", input: { serverName: "www.example.com", port: 443, evidence: ["evidence"], share: "certs" } },
    ]);
  });

  it("exits with 0 when all serve it, and with the problem's code when evidence cannot be used", async () => {
    const args = ["explain", "--no-sni", "--at", "10.0.0.4:443", "--evidence", "web1.json"];
    const first = await run(args, { nodes: [answer("web1", served)] });
    expect(first.code).toBe(0);
    expect(first.asked).toEqual([{ name: "explain.evidence", input: { address: "10.0.0.4", port: 443, evidence: ["web1.json"] } }]);
    const problem = { code: "DOCTOR_FILE_UNREADABLE", message: "web1.json has no table", remedy: "Collect it again.", facts: {} };
    const second = await run(args, { nodes: [{ node: "web1", kind: "problem", problem }] });
    expect([second.code, second.out]).toEqual([2, expect.stringContaining("✗ web1: web1.json has no table (DOCTOR_FILE_UNREADABLE)")]);
  });

  it("does not take its options without evidence", async () => {
    const { code, err } = await run(["explain", "a.example", "--share", "certs"], {});
    expect([code, err]).toEqual([2, expect.stringContaining("--share and --password-file go with --evidence")]);
  });
});

describe("doctor rules", () => {
  const rule = {
    code: "central-row-missing",
    title: "A node has no central row",
    severity: "error",
    tier: "node",
    source: "https://example.com/vendor",
    explains: "The table is each server's own. ".repeat(8).trim(),
    remedy: "Add the row.",
  };

  it("lists them", async () => {
    const { code, out } = await run(["doctor", "rules"], { rules: [rule] });
    expect([code, out]).toEqual([
      0,
      "CODE                 SEVERITY  TITLE\ncentral-row-missing  error     A node has no central row\n1 rule; more of one: certfarm doctor rule CODE\n",
    ]);
  });

  it("explains one, in lines that can be read", async () => {
    const { out, asked } = await run(["doctor", "rule", "central-row-missing"], { rules: [rule] });
    expect(asked).toEqual([{ name: "doctor.rules", input: { code: "central-row-missing" } }]);
    expect(out).toMatch(
      /^A node has no central row\ncentral-row-missing, error\n\nThe table[^]*\n\nWhat to do\nAdd the row\.\n\nSource\nhttps:\/\/example\.com\/vendor\n$/,
    );
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
  });
});
