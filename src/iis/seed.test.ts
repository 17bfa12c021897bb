import { expect, test } from "vitest";

import { instant, requireEndpoint, requireHostName } from "../base/index.ts";
import { diagnose, RULES, type Examination } from "../doctor/index.ts";
import { evidenceFromFiles } from "./evidence-from-files.ts";
import { explainIis } from "./explain-iis.ts";

const IIS = "{4dc3e181-e14b-4a21-b022-59fc669b0914}";
const HASH = "40db5bb1bf5659a155258d1d007c530fcb8996c2";

const heading = "\nSSL Certificate bindings: \n-------------------------\n\n";
const row = (label: string, key: string, hash: string, store: string) =>
  `    ${label.padEnd(29)}: ${key}\n    Certificate Hash             : ${hash}\n    Application ID               : ${IIS}\n    Certificate Store Name       : ${store}\n    Usage Check                  : Enabled\n\n`;
const CENTRAL = row("Central Certificate Store", "443", "(null)", "(null)");
const SHADOW = row("IP:port", "10.0.0.4:443", HASH, "My");

const CONFIGURATION = `<?xml version="1.0" encoding="UTF-8"?>
<configuration><configSections><sectionGroup name="system.applicationHost" /></configSections><system.applicationHost><sites>
<site name="Shop" id="1"><bindings><binding protocol="https" bindingInformation="*:443:subdomain.domain.com" sslFlags="3" /></bindings></site>
</sites></system.applicationHost></configuration>`;
const LISTING = " Directory of \\\\files\\certs\n\n11/24/2026  02:18 PM             4,294 subdomain.domain.com.pfx\n";

/** Four servers with one shared configuration; each has a table of its own. */
const TABLES = { web1: CENTRAL, web2: "", web3: "", web4: SHADOW + CENTRAL };

const readings = Object.entries(TABLES).map(([name, table]) =>
  evidenceFromFiles(name, [
    { path: `${name}/netsh.txt`, bytes: Buffer.from(heading + table, "utf16le") },
    { path: `${name}/applicationHost.config`, bytes: Buffer.from(CONFIGURATION) },
    { path: `${name}/listing.txt`, bytes: Buffer.from(LISTING) },
  ]),
);

test("four servers' loose files name the missing central rows and the shadowing row, on these servers and no others", () => {
  expect(readings.flatMap(({ gaps }) => gaps)).toEqual([]);
  const examination: Examination = {
    at: instant(Date.UTC(2026, 10, 24)),
    hosts: [{ name: requireHostName("subdomain.domain.com") }],
    nodes: readings.map(({ name, evidence }) => ({ name, role: "node", endpoints: [], evidence })),
    cells: [],
    roots: "system",
    gaps: [],
  };
  const found = diagnose(examination, RULES).findings.map(({ code, nodes }) => `${code} ${nodes.join(" ")}`);
  expect(found.toSorted()).toEqual(["central-row-missing web2", "central-row-missing web3", "ip-row-shadows web4"]);
});

test("explain tells the four apart", () => {
  const serverName = requireHostName("subdomain.domain.com");
  const outcomes = readings.map(({ evidence }) => {
    const { outcome } = explainIis(evidence, {
      serverName,
      port: 443,
      ...(evidence.source === "web4" ? { address: requireEndpoint("10.0.0.4:443").address } : {}),
    });
    return outcome.kind === "serve" ? (outcome.file ?? outcome.thumbprint) : outcome.kind;
  });
  expect(outcomes).toEqual(["subdomain.domain.com.pfx", "reset", "reset", HASH.toUpperCase()]);
});
