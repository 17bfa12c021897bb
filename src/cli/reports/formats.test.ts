import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";

import { hostileReport } from "../testing/hostile-report.ts";
import { AT, GOOD, NOT_LOOKED, brokenFarm, finding, report, reset } from "../testing/sample-report.ts";
import { htmlReport } from "./html-report.ts";
import { junitReport } from "./junit.ts";
import { prometheusReport } from "./prometheus.ts";

interface Seen {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** The elements of a document, in order; throws where it is not well-formed XML. */
function elements(xml: string): readonly Seen[] {
  const seen: Seen[] = [];
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => void seen.push({ name, attributes: { ...attributes } }));
  parser.write(xml).close();
  return seen;
}

describe("JUnit", () => {
  it("has a suite for each node and one for the findings", () => {
    const seen = elements(junitReport(brokenFarm()));
    expect(seen[0]).toEqual({
      name: "testsuites",
      attributes: { name: "certfarm doctor", tests: "159", failures: "13", skipped: "0", errors: "0" },
    });
    const suites = seen
      .filter(({ name }) => name === "testsuite")
      .map(({ attributes: { name, tests, failures } }) => [name, tests, failures]);
    expect(suites).toEqual([
      ["web1", "39", "1"],
      ["web2", "39", "3"],
      ["web3", "39", "3"],
      ["web4", "39", "3"],
      ["findings", "3", "3"],
    ]);
  });

  it("skips what was not looked at, and lets notices pass", () => {
    const seen = elements(junitReport(report({ a: [NOT_LOOKED, reset()] }, { findings: [finding({ severity: "notice" })] })));
    expect(seen.map(({ name }) => name)).toEqual([
      "testsuites",
      "testsuite",
      "testcase",
      "skipped",
      "testsuite",
      "testcase",
      "failure",
      "testsuite",
      "testcase",
      "system-out",
    ]);
    expect(seen[6]?.attributes).toEqual({ type: "no-handshake", message: "reset after the ClientHello, without an alert" });
    expect(seen[0]?.attributes).toMatchObject({ tests: "3", failures: "1", skipped: "1" });
  });

  it("is well-formed whatever peers say", () => {
    const names = elements(junitReport(hostileReport())).map(({ name }) => name);
    expect(new Set(names)).toEqual(new Set(["testsuites", "testsuite", "testcase", "failure", "system-out"]));
  });
});

/** The samples of Prometheus' text format 0.0.4, read as its documentation says; throws for any other line. */
function samples(text: string): ReadonlyMap<string, { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]> {
  const found = new Map<string, { labels: Record<string, string>; value: number }[]>();
  const typed = new Set<string>();
  expect(text.endsWith("\n")).toBe(true);
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-z_]+) /.exec(line);
    if (comment !== null) {
      if (comment[1] === "TYPE") {
        expect(typed.has(comment[2] ?? "")).toBe(false);
        typed.add(comment[2] ?? "");
      }
      continue;
    }
    const match = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[0-9.e+]+)$/.exec(line);
    if (match === null) throw new Error(`not a sample: ${line}`);
    const [, name = "", labelText = "", value] = match;
    expect(typed.has(name)).toBe(true);
    const labels = Object.fromEntries([...labelText.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]));
    found.set(name, [...(found.get(name) ?? []), { labels, value: Number(value) }]);
  }
  return found;
}

describe("Prometheus", () => {
  it("tells each cell, each finding and the time", () => {
    const found = samples(
      prometheusReport(
        report(
          { a: [GOOD, reset("F-1")], b: [NOT_LOOKED, GOOD] },
          { findings: [finding({ id: "F-1" }), finding({ id: "F-2", nodes: [] })] },
        ),
      ),
    );
    expect(found.get("certfarm_tls_ok")).toEqual([
      { labels: { node: "web1", host: "a" }, value: 1 },
      { labels: { node: "web2", host: "a" }, value: 0 },
      { labels: { node: "web2", host: "b" }, value: 1 },
    ]);
    expect(found.get("certfarm_tls_not_after_timestamp_seconds")?.[0]?.value).toBe(AT / 1000 + 60 * 86_400);
    expect(found.get("certfarm_findings")?.map(({ labels, value }) => [labels["severity"], value])).toEqual([
      ["error", 2],
      ["warning", 0],
      ["notice", 0],
    ]);
    expect(found.get("certfarm_finding")?.map(({ labels }) => [labels["id"], labels["node"]])).toEqual([
      ["F-1", "web3"],
      ["F-2", ""],
    ]);
    expect(found.get("certfarm_doctor_timestamp_seconds")?.[0]?.value).toBe(AT / 1000);
  });

  it("escapes labels, and has no series twice", () => {
    const twice = report({ "a\u0001": [GOOD], "a\u0002": [reset()] });
    expect(samples(prometheusReport(twice)).get("certfarm_tls_ok")).toHaveLength(1);
    const [first] = samples(prometheusReport(hostileReport())).get("certfarm_tls_ok") ?? [];
    expect(first?.labels["host"]).toContain(String.raw`<script>alert(1)</script>\"'&]]>`);
  });
});

describe("the page", () => {
  it("lets no text of a peer become markup, and keeps no character that could do harm", () => {
    const page = htmlReport(hostileReport());
    expect(page).not.toContain("<script");
    expect(page).not.toMatch(/[^\n\P{C}]/u);
    expect(page.match(/<[a-z]+ on[a-z]+=/i)).toBeNull();
    expect(page.length).toBeLessThan(200_000);
  });

  it("holds in few octets what ten thousand hosts share", () => {
    const rows = Object.fromEntries(Array.from({ length: 10_000 }, (_each, at) => [`host${at}.example.com`, [GOOD, GOOD, GOOD, GOOD]]));
    const page = htmlReport(report(rows));
    expect(page).toContain("10000 hosts are served alike by all nodes");
    expect(page.length).toBeLessThan(600_000);
  });

  it("is bounded when every host is broken in its own way", () => {
    const rows = Object.fromEntries(Array.from({ length: 10_000 }, (_each, at) => [`host${at}.example.com`, [reset(`F-${at}`), GOOD]]));
    const findings = Array.from({ length: 10_000 }, (_each, at) => finding({ id: `F-${at}` }));
    const page = htmlReport(report(rows, { findings }));
    expect(page.length).toBeLessThan(2_000_000);
    expect(page).toContain("9000 more hosts with something to see");
    expect(page).toContain("9500 more findings");
  });

  it("lists the nodes where there is evidence alone", () => {
    const nodes = [
      { name: "web1", role: "node", make: "iis" },
      { name: "web3", role: "node", make: "iis" },
      { name: "web4", role: "node" },
    ] as const;
    const page = htmlReport(report({ a: [NOT_LOOKED, NOT_LOOKED, NOT_LOOKED] }, { nodes, findings: [finding()] }));
    expect([...page.matchAll(/<tr><th scope="row">(\w+)<\/th><td[^>]*>(.*?)<\/td>/g)].map(([, name, cell]) => [name, cell])).toEqual([
      ["web1", "✓"],
      ["web3", '✗ <a href="#finding-1">[1]</a>'],
      ["web4", "· no evidence"],
    ]);
  });

  it("asks for nothing from outside", () => {
    const page = htmlReport(brokenFarm());
    expect(page).toMatch(/content="default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; base-uri 'none'; form-action 'none'"/);
    expect(page).not.toMatch(/(?:src|href)="(?!#)/);
    expect(page).not.toMatch(/url\(|@import/);
  });
});
