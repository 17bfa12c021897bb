import { array, assert, constantFrom, oneof, property, string } from "fast-check";
import { describe, expect, it, test } from "vitest";

import type { HostPattern, IpAddress } from "../base/index.ts";
import type { EvidenceBinding, EvidenceRow, NodeEvidence, RepairAction } from "../doctor/index.ts";
import { repairScript } from "./repair-script.ts";
import { powershellParser } from "./testing/powershell-syntax.ts";

const { errors, commands, values } = await powershellParser();

const address = "10.0.0.4" as IpAddress;
const shadow: EvidenceRow = {
  key: { kind: "ip", address, port: 443 },
  thumbprint: "A".repeat(40),
  appId: "{4dc3e181-e14b-4a21-b022-59fc669b0914}",
  storeName: "My",
  options: {},
};
const binding = (host: string): EvidenceBinding => ({
  site: "Shop",
  protocol: "https",
  address: "*",
  port: 443,
  host: host as HostPattern,
  sni: true,
  central: true,
  sslFlags: 3,
});
const evidence: NodeEvidence = {
  make: "iis",
  source: "web2.json",
  addresses: ["127.0.0.1" as IpAddress, address],
  bindings: { source: "applicationHost.config", bindings: [binding("www.example.com"), binding("*.example.com")] },
};
const central: RepairAction = { do: "add-central-row", node: "web2", port: 443 };
const remove: RepairAction = { do: "delete-row", node: "web2", key: shadow.key, row: shadow };

test("has the steps of this server in the order that does least harm, and handshakes to check them", () => {
  const script = repairScript(
    "web2",
    [remove, central, { do: "manual", text: "Tell the others." }, { ...central, node: "web3" }],
    evidence,
  );
  expect(errors(script)).toEqual([]);
  expect(dataOf(script)).toBe(`$server = 'web2'

$steps = @(
    @{ kind = 'add-central-row'; title = 'make the central row for port 443'; port = 443; site = 'Shop'; binding = '*:443:www.example.com'; address = '0.0.0.0' }
    @{ kind = 'delete-row'; title = 'delete the row ipport=10.0.0.4:443'; tag = 'ipport'; key = '10.0.0.4:443'; hash = '${"A".repeat(40)}'; appId = '{4dc3e181-e14b-4a21-b022-59fc669b0914}'; store = 'My' }
    @{ kind = 'manual'; title = 'by hand'; text = 'Tell the others.' }
)

$checks = @(
    @{ host = 'www.example.com'; address = '10.0.0.4'; port = 443 }
    @{ host = 'certfarm-check.example.com'; address = '10.0.0.4'; port = 443 }
)
`);
});

/** From the first data to the program below it, which nothing in the data can imitate: it has no line ends but its own. */
function dataOf(script: string): string {
  return script.slice(script.indexOf("\n$server = ") + 1, script.indexOf("\n# ---- Rows"));
}

describe("keys of rows", () => {
  it.each([
    [{ kind: "ip", address: "2001:db8::4" as IpAddress, port: 443 }, "ipport", "[2001:db8::4]:443"],
    [{ kind: "any", family: 4, port: 8443 }, "ipport", "0.0.0.0:8443"],
    [{ kind: "any", family: 6, port: 443 }, "ipport", "[::]:443"],
    [{ kind: "host", host: "www.example.com" as HostPattern, port: 443 }, "hostnameport", "www.example.com:443"],
  ] as const)("%j as netsh spells it", (key, tag, text) => {
    expect(repairScript("web2", [{ do: "delete-row", node: "web2", key, row: { ...shadow, key } }])).toContain(
      `tag = '${tag}'; key = '${text}'`,
    );
  });

  it.each([{ kind: "central", port: 443 } as const, { kind: "scoped-central", host: "a.example" as HostPattern, port: 443 } as const])(
    "refuses to delete %j",
    (key) => {
      expect(() => repairScript("web2", [{ do: "delete-row", node: "web2", key, row: { key, options: {} } }])).toThrow(
        expect.objectContaining({ code: "IIS_REPAIR_REFUSED" }),
      );
    },
  );
});

test("does a step once, and what is certfarm's own not at all", () => {
  const script = repairScript("web2", [central, central, { do: "resync", node: "web2", part: "table" }]);
  expect(dataOf(script).match(/kind = /g)).toEqual(["kind = "]);
});

test("dials no more than five hosts a port", () => {
  const bindings = Array.from({ length: 3000 }, (_, index) => binding(`h${index}.example.com`));
  const script = repairScript("web2", [central], { ...evidence, bindings: { source: "x", bindings } });
  expect(script.match(/host = 'h/g)).toHaveLength(5);
});

/** Text that tries to get out of its quotes, in ASCII and in PowerShell's other quotes. */
const hostile = oneof(
  string({ unit: "binary", maxLength: 60 }),
  array(
    constantFrom(
      "'",
      "\u2018",
      "\u2019",
      "\u201a",
      "\u201b",
      '"',
      "`",
      "$(",
      "$x",
      ")",
      "}",
      ";",
      "#>",
      "\n",
      "\r",
      "@'",
      "'@",
      " ",
      "calc",
      "\0",
    ),
  ).map((parts) => parts.join("")),
);

/** What is the same in every script. */
const FIXED = ((script) => script.replace(dataOf(script), ""))(repairScript("web2", [central, remove], evidence));

test("executes nothing that comes from evidence, and carries every value unchanged", () => {
  assert(
    property(hostile, hostile, hostile, hostile, hostile, (node, site, store, location, text) => {
      const row = { ...shadow, storeName: store, appId: text, thumbprint: location };
      const actions: RepairAction[] = [
        { do: "set-central-store", node, location, user: store },
        { do: "add-central-row", node, port: 443 },
        { do: "delete-row", node, key: row.key, row },
        { do: "manual", text },
      ];
      const script = repairScript(node, actions, {
        ...evidence,
        bindings: { source: "x", bindings: [{ ...binding(text), site }] },
      });
      const data = dataOf(script);
      expect(script).toMatch(/^[\n\x20-\x7e]*$/);
      expect(errors(data)).toEqual([]);
      expect(commands(data)).toEqual([]);
      expect(script.replace(data, "")).toBe(FIXED);
      expect(data.split("\n")).toHaveLength(13);
      const carried = values(data);
      for (const value of [node, site, store, location, text]) expect(carried).toContain(value.replaceAll("\0", ""));
    }),
    { numRuns: 200 },
  );
});

describe("the program", () => {
  const script = repairScript("web2", [central, remove], evidence);

  it("runs nothing but what it is known for", () => {
    expect([...new Set(commands(script))].toSorted()).toEqual(
      [
        "$netsh Add-Note Add-Type Compare-Handshake ConvertFrom-Json ConvertTo-Json Enable-IISCentralCertProvider Enable-WebCentralCertProvider",
        "ForEach-Object Get-ChildItem Get-Command Get-Handshake Get-Note Get-SavedRow Get-StoreSetting Invoke-AddCentralRow",
        "Invoke-BindingToggle Invoke-DeleteRow Invoke-Netsh Invoke-Run Invoke-SetCentralStore Invoke-Step Invoke-Undo Join-Path New-Object Read-Host",
        "Restore-Row Save-Table Select-Object Set-BindingFlag Set-CentralStore Set-IISCentralCertProvider Set-Note Set-WebCentralCertProvider",
        "Test-Handshake Test-Path Test-Row Undo-Step Where-Object Write-Host Write-Line",
      ]
        .join(" ")
        .split(" ")
        .toSorted(),
    );
  });

  it("asks before every change, so that -WhatIf changes nothing", () => {
    expect(script).toContain("[CmdletBinding(SupportsShouldProcess = $true");
    for (const change of ["'delete', 'sslcert', $what", "'add', 'sslcert', ('ccs='", "Set-CentralStore $Step.location"]) {
      const before = script.slice(0, script.indexOf(change));
      expect(before.slice(before.lastIndexOf("\nfunction "))).toContain("if (-not $cmdlet.ShouldProcess(");
    }
  });

  it("has no way to delete a central row", () => {
    const deletes = script.split("\n").filter((line) => line.includes("'delete', 'sslcert'"));
    expect(deletes.map((line) => line.trim())).toEqual([
      "$deleted = Invoke-Netsh @('http', 'delete', 'sslcert', $what)",
      "if (Test-Row 'ipport' $own) { $null = Invoke-Netsh @('http', 'delete', 'sslcert', ('ipport=' + $own)) }",
    ]);
    expect(script).toContain("if (@('ipport', 'hostnameport') -notcontains $Step.tag) { throw");
  });

  it.each([
    ["a brace that is not closed", (text: string) => text.replace(/^}$/m, "")],
    ["a quote that is not closed", (text: string) => text.replace("'delete', 'sslcert', $what", "'delete', 'sslcert, $what")],
    ["a value that is not quoted as it should be", (text: string) => text.replace("site = 'Shop'", "site = 'Sh'op'")],
  ])("is not accepted by the grammar with %s", (_name, spoil) => {
    expect(spoil(script)).not.toBe(script);
    expect(errors(spoil(script))).not.toEqual([]);
  });
});
