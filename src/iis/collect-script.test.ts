import { readFileSync } from "node:fs";

import { describe, expect, it, test } from "vitest";

import { collectScript } from "./collect-script.ts";
import { EVIDENCE_FILE_PARTS, EVIDENCE_FORMAT, EVIDENCE_VERSION, evidenceFileSchema } from "./evidence-file.ts";
import { powershellParser } from "./testing/powershell-syntax.ts";

const { errors, commands } = await powershellParser();
const script = collectScript();

/** What the script may run: cmdlets that only read, and those that print, sort or make objects in memory. */
const READS = [
  "ConvertTo-Json ForEach-Object Get-Acl Get-CimInstance Get-Process Get-WindowsFeature Get-WindowsOptionalFeature Get-WinEvent",
  "Join-Path New-Object Select-Object Sort-Object Test-Path Where-Object Write-Host Write-Progress",
  // A connection to the share under the account that was given, taken down again.
  "New-PSDrive Remove-PSDrive",
  // Its own functions.
  "Add-KeyFact Add-Problem Get-Cause Get-CertificateFact Get-ChainFact Get-DnsName Get-FileText Get-FullAccount Get-Moment Get-StoreFile",
  "Hide-Secret Invoke-Part Invoke-Tool Open-MachineKey Test-SystemRead",
  // The block of a part, and a tool by its path.
  "$Collect $File",
]
  .join(" ")
  .split(" ");

/** A word that is out of place may still be a command to the grammar: such ones are not known. */
const strangers = (text: string): readonly string[] => [...new Set(commands(text))].filter((command) => !READS.includes(command));

test("follows PowerShell's grammar", () => {
  expect(errors(script)).toEqual([]);
});

test("is ASCII without backticks, so that every edition and every code page reads it alike", () => {
  expect(script).toMatch(/^[\n\x20-\x7e]*$/);
  expect(script).not.toContain("`");
});

test("runs nothing that could change the server", () => {
  expect(strangers(script)).toEqual([]);
  const tools = [...script.matchAll(/'([a-z0-9]+\.exe)'\)? ?@\(([^)]*)/g)].map((match) => `${match[1]} ${match[2]}`);
  expect(tools).toEqual(["netstat.exe '-ano'", "certutil.exe '-silent', '-v', '-store', $Entry['store'], $Certificate.Thumbprint"]);
  const others = [...script.matchAll(/Invoke-Tool \$(netsh|w32tm|appcmd) @\('([a-z/]+)'(?:, '(\w+)')?/g)];
  expect(others.map((match) => match.slice(1, 4).join(" ").trim())).toEqual([
    "netsh http show",
    "netsh http show",
    "appcmd list site",
    "w32tm /query",
    "w32tm /stripchart",
  ]);
  expect(script.match(/WriteAll|AppendAll|SetValue|SetAccess|\.Delete\(|OpenSubKey\([^)]*,/g)).toEqual(["WriteAll"]);
});

test("never reads the value of a password", () => {
  expect(script.match(/GetValue\('[^']*Password'\)/g)).toBeNull();
  expect(script).not.toMatch(/GetNetworkCredential|ConvertFrom-SecureString|SecureStringTo/);
});

test("writes the form that the reader expects", () => {
  expect(script).toContain(`format      = '${EVIDENCE_FORMAT}'`);
  expect(script).toContain(`version     = ${EVIDENCE_VERSION}`);
  const written = [...script.matchAll(/\$evidence\['(\w+)'\] =/g)].map((match) => match[1]);
  const fields = Object.keys(evidenceFileSchema.shape);
  expect(new Set([...written, "format", "version", "server", "collectedAt"])).toEqual(new Set(fields));
});

test("has no field that the reader does not know, at any depth", () => {
  const known = readFileSync(new URL("./evidence-file.ts", import.meta.url), "utf8");
  const tables = [...script.matchAll(/\[ordered\]@\{([^}]*)\}/g)].flatMap((match) => [
    ...(match[1] ?? "").matchAll(/(?:^|;|\n)\s*(\w+)\s*=/g),
  ]);
  const added = [...script.matchAll(/\$(?:\w+)\['(\w+)'\](?:\['(\w+)'\])? = /g)];
  const fields = new Set([...tables.map((match) => match[1]), ...added.map((match) => match[2] ?? match[1])]);
  expect(fields.size).toBeGreaterThan(50);
  expect([...fields].filter((field) => !new RegExp(`\\b${field}:`).test(known))).toEqual([]);
});

test("names the parts of problems as the reader does, and every part but those inside another has its own guard", () => {
  const parts = [...script.matchAll(/(?:Invoke-Part|Add-Problem) '(\w+)'/g)].map((match) => match[1]);
  expect(new Set(parts)).toEqual(new Set(EVIDENCE_FILE_PARTS));
  const guarded = [...script.matchAll(/^Invoke-Part '(\w+)' \{$/gm)].map((match) => match[1]);
  expect(new Set([...guarded, "files"])).toEqual(new Set(EVIDENCE_FILE_PARTS));
});

describe("the check of the grammar", () => {
  it.each([
    ["a brace that is not closed", (text: string) => text.replace(/^}$/m, "")],
    ["a quote that is not closed", (text: string) => text.replace("'Stop'", "'Stop")],
    ["a parenthesis that is not closed", (text: string) => text.replace("ToString('o')", "ToString('o'")],
    ["an operator without its right side", (text: string) => text.replace("$table = [ordered]@{", "$table = = [ordered]@{")],
    ["a statement that is no statement", (text: string) => text.replace("foreach (", "foreach $x (")],
    ["a catch without its try", (text: string) => text.replace(/^ {4}try \{$/m, "    {")],
  ])("sees %s", (_name, spoil) => {
    expect(spoil(script)).not.toBe(script);
    expect([...errors(spoil(script)), ...strangers(spoil(script))]).not.toEqual([]);
  });
});

/** The regular expressions of the script, as JavaScript reads them. */
function expression(start: string): RegExp {
  const found = script.split("\n").flatMap((line) => [...line.matchAll(/'((?:[^']|'')*)'/g)].map((match) => match[1] ?? ""));
  const source = found.find((text) => text.startsWith(start));
  if (source === undefined) throw new Error(`no expression starts with ${start}`);
  return new RegExp(source.replace("(?i)", "").replaceAll("''", "'"), source.startsWith("(?i)") ? "gi" : "g");
}

describe("expressions of the script", () => {
  it.each([
    [
      `<processModel userName="FARM\\app" password="[enc:IISWASOnlyAesProvider:AbC=:enc]" />`,
      `<processModel userName="FARM\\app" password="" />`,
    ],
    [`<virtualDirectory path="/" password='pl4in' />`, `<virtualDirectory path="/" password="" />`],
    [`<add name="AesProvider" sessionKey="AQIA=" useOAEP="false" />`, `<add name="AesProvider" sessionKey="" useOAEP="false" />`],
    [`<add name="Db" connectionString="Server=a;Pwd=b" />`, `<add name="Db" connectionString="" />`],
    [`<environmentVariable name="Token" value="abc" />`, `<environmentVariable name="Token" value="" />`],
    [`<binding protocol="https" bindingInformation="*:443:a" />`, `<binding protocol="https" bindingInformation="*:443:a" />`],
  ])("leave no secret in %s", (text, hidden) => {
    const named = text.replace(expression("(?i)((?:password"), '$1""');
    expect(named.replace(expression("(?i)(<environmentVariable"), '$1""')).toBe(hidden);
  });

  it.each([
    ["  TCP    0.0.0.0:443            0.0.0.0:0              LISTENING       4", ["0.0.0.0", "443", "4"]],
    ["  TCP    [::]:8443              [::]:0                 ABH\u00d6REN         1234", ["::", "8443", "1234"]],
    ["  TCP    [fe80::1%5]:443        [::]:0                 LISTENING       4", ["fe80::1", "443", "4"]],
    ["  TCP    10.0.0.4:443           10.0.0.9:51000         ESTABLISHED     4", undefined],
    ["  UDP    0.0.0.0:443            *:*                                    4", undefined],
  ])("find listeners in any language: %s", (line, found) => {
    expect([...line.matchAll(expression("^\\s*TCP"))][0]?.slice(1)).toEqual(found);
  });

  it("read the offset that w32tm prints", () => {
    const line = "14:20:01, d:+00.0156250s o:-00.0012345s  [                  *                  ]";
    expect([...line.matchAll(expression("d:"))][0]?.slice(1)).toEqual(["+00", "0156250", "-00", "0012345"]);
  });

  it("find the number of a CryptoAPI key", () => {
    expect([..."    KeySpec = 2 -- AT_SIGNATURE".matchAll(expression("= *"))][0]?.[1]).toBe("2");
    expect([..."    KeySpec = 0 -- XCN_AT_NONE".matchAll(expression("= *"))]).toEqual([]);
  });
});
