import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { EVIDENCE_FORMAT } from "./evidence-file.ts";
import { readEvidenceFile } from "./read-evidence-file.ts";

const IIS = "{4dc3e181-e14b-4a21-b022-59fc669b0914}";

const least = { format: EVIDENCE_FORMAT, version: 1, server: "WEB1", collectedAt: "2026-06-15T12:00:00.0000000Z" };

const read = (changes: object = {}) => readEvidenceFile(JSON.stringify({ ...least, ...changes }), "web1.json");

const central = (changes: object) => read({ central: { user: "FARM\\reader", ...changes } }).evidence.central;

describe("readEvidenceFile", () => {
  it("says what the file does not say", () => {
    const { name, evidence, gaps } = read();
    expect(name).toBe("WEB1");
    expect(evidence).toEqual({ make: "iis", source: "web1.json", at: Date.UTC(2026, 5, 15, 12) });
    expect(gaps.map(({ what }) => what)).toEqual(["table", "configuration", "central", "certificates"]);
  });

  it("turns every part into evidence", () => {
    const { evidence, gaps } = read({
      os: { caption: "Microsoft Windows Server 2022 Standard", version: "10.0.20348", build: 20348 },
      startedAt: "2026-06-01T08:00:00Z",
      clock: { utc: "2026-06-15T12:00:00Z", reference: "dc1", offsetMs: 120_000 },
      addresses: ["10.0.0.4", "fe80::1%12", "10.0.0.4", "nonsense"],
      features: ["Web-Server", "Web-CertProvider"],
      table: { text: `\n----------\n\n  x : 443\n  y : (null)\n  z : ${IIS}\n  s : (null)\n` },
      central: {
        installed: true,
        enabled: true,
        location: "\\\\files\\certs",
        user: "FARM\\reader",
        hasPassword: true,
        access: { kind: "readable", as: "farm\\READER" },
        files: [{ name: "www.example.com.pfx", size: 4294, modified: "2026-06-01T00:00:00Z", sha256: "ab".repeat(32), access: "denied" }],
      },
      configuration: {
        redirection: {
          text: '<configuration><configurationRedirection enabled="true" path="\\\\files\\config" password="[enc:x:y:enc]"/></configuration>',
        },
        applicationHost: {
          text:
            '<configuration><system.applicationHost><sites><site name="Shop" id="2"><bindings>' +
            '<binding protocol="https" bindingInformation="*:443:www.example.com" sslFlags="131"/></bindings></site></sites></system.applicationHost></configuration>',
        },
      },
      certificates: [
        {
          store: "CA",
          thumbprint: "ab".repeat(20),
          subject: "CN=I",
          issuer: "CN=R",
          notBefore: "2020-01-01T00:00:00Z",
          notAfter: "2030-01-01T00:00:00Z",
        },
      ],
      events: [{ log: "Schannel", id: 36888, at: "2026-06-15T11:00:00Z", message: "x".repeat(5000) }],
      protocols: [
        { protocol: "TLS 1.0", enabled: 0 },
        { protocol: "TLS 1.1", disabledByDefault: 1 },
        { protocol: "TLS 1.2", enabled: -1 },
        { protocol: "TLS 1.3" },
      ],
      sites: { name: "Shop", state: "Stopped" },
      listeners: [{ address: "::", port: 443, process: "System" }],
      problems: [{ part: "files", why: "5 of 10 were opened" }],
    });
    expect(evidence.system).toMatchObject({ build: 20348, features: ["Web-Server", "Web-CertProvider"] });
    expect(evidence.clock).toMatchObject({ offsetMs: 120_000, uncertaintyMs: 1000 });
    expect(evidence.addresses).toEqual(["10.0.0.4", "fe80::1"]);
    expect(evidence.table?.rows).toEqual([{ key: { kind: "central", port: 443 }, appId: IIS, options: {} }]);
    expect(evidence.central).toEqual({
      source: "WEB1: central certificate store",
      installed: true,
      enabled: true,
      location: "\\\\files\\certs",
      user: "FARM\\reader",
      hasPassword: true,
      pollingSeconds: 300,
      access: { kind: "readable" },
      files: [{ name: "www.example.com.pfx", size: 4294, modifiedAt: Date.UTC(2026, 5, 1), digest: "AB".repeat(32), access: "denied" }],
    });
    expect(evidence.configuration).toMatchObject({ redirection: { enabled: true, path: "\\\\files\\config" }, legacyBindingData: false });
    expect(evidence.bindings?.bindings).toEqual([
      {
        site: "Shop",
        protocol: "https",
        address: "*",
        port: 443,
        host: "www.example.com",
        sni: true,
        central: true,
        sslFlags: 131,
        started: false,
      },
    ]);
    expect(evidence.certificates).toMatchObject([{ store: "CA", thumbprint: "AB".repeat(20) }]);
    expect(evidence.events?.[0]?.message).toHaveLength(1000);
    expect(evidence.protocols?.map(({ protocol, enabled }) => [protocol, enabled])).toEqual([
      ["TLS 1.0", false],
      ["TLS 1.1", false],
      ["TLS 1.2", true],
    ]);
    expect(evidence.listeners).toEqual([
      { endpoint: { address: "::", port: 443 }, bindingPort: 443, protocol: "https", process: "System" },
    ]);
    expect(gaps).toEqual([{ node: "WEB1", what: "central", why: "5 of 10 were opened" }]);
    expect(JSON.stringify(evidence)).not.toContain("enc:");
  });

  it.each([
    ["the account itself", { access: { kind: "readable", as: "farm\\Reader" } }, { kind: "readable" }],
    ["an administrator", { access: { kind: "readable", as: "FARM\\admin" } }, undefined],
    ["an administrator who is denied", { access: { kind: "failed", cause: "denied", as: "FARM\\admin" } }, undefined],
    [
      "an administrator who cannot reach it",
      { access: { kind: "failed", cause: "unreachable", as: "FARM\\admin", message: "no" } },
      { kind: "failed", cause: "unreachable", message: "no" },
    ],
    ["a local account, written otherwise", { user: ".\\reader", access: { kind: "readable", as: "web1\\reader" } }, { kind: "readable" }],
    ["SYSTEM where no account is set", { user: "", access: { kind: "readable", as: "NT AUTHORITY\\SYSTEM" } }, { kind: "readable" }],
  ])("counts a test of the share by %s only for what it proves", (_who, changes, access) => {
    expect(central(changes)?.access).toEqual(access);
  });

  it("does not take a message for an empty table", () => {
    const { evidence, gaps } = read({ table: { text: "The requested operation requires elevation (Run as administrator).\r\n" } });
    expect(evidence.table).toBeUndefined();
    expect(gaps[0]).toMatchObject({ what: "table", why: expect.stringContaining("requires elevation") as string });
  });

  it("takes a heading without rows as an empty table", () => {
    expect(read({ table: { text: "\nSSL Certificate bindings: \n-------------------------\n\n" } }).evidence.table?.rows).toEqual([]);
  });

  it("keeps the place where a configuration breaks off as its problem", () => {
    const { evidence, gaps } = read({ configuration: { applicationHost: { text: "<configuration>\n  <system.applicationHost>\n" } } });
    expect(evidence.configuration?.problem).toBe(
      "WEB1: applicationHost.config: line 3, column 0: the file breaks off (unclosed tag: system.applicationHost)",
    );
    expect(evidence.bindings).toBeUndefined();
    expect(gaps.map(({ what }) => what)).toContain("bindings");
  });

  it.each([
    ["a number for the table", { table: 3 }, /^web1\.json: table: /],
    ["a text for the certificates", { certificates: "none" }, /^web1\.json: certificates\[0\]: /],
    ["a wrong day deep inside", { events: [{ log: "x", id: 1, at: "yesterday" }] }, /^web1\.json: events\[0\]\.at: must be a UTC time/],
    ["another version", { version: 7 }, /^web1\.json: version: /],
  ])("names the path of %s", (_what, changes, message) => {
    expect(() => read(changes)).toThrow(
      expect.objectContaining({ code: "IIS_EVIDENCE_INVALID", message: expect.stringMatching(message) as string }),
    );
  });

  it.each([
    ["with a mark", Buffer.from(`\uFEFF${JSON.stringify(least)}`)],
    ["in UTF-16, as Windows PowerShell redirects", Buffer.from(`\uFEFF${JSON.stringify(least)}`, "utf16le")],
  ])("reads a file %s", (_what, bytes) => {
    expect(readEvidenceFile(bytes, "web1.json").name).toBe("WEB1");
  });

  it.each([
    ["100 MB", Buffer.alloc(100 * 1024 * 1024, "x"), "IIS_INPUT_TOO_LARGE", /104857600 octets/],
    ["deep nesting", "[".repeat(10_000_000), "IIS_INPUT_TOO_LARGE", /nests deeper than 32 levels/],
    ["too many values", `[${"0,".repeat(3_000_000)}0]`, "IIS_INPUT_TOO_LARGE", /more than 2000000 values/],
    ["nothing", "", "IIS_EVIDENCE_INVALID", /it is empty/],
    [
      "a cut file",
      JSON.stringify(least).slice(0, 40),
      "IIS_EVIDENCE_INVALID",
      /web1\.json: (?:line 1, column 41 is not JSON|it breaks off)/,
    ],
    ["zero octets", "\u0000".repeat(100), "IIS_EVIDENCE_INVALID", /line 1, column 1 is not JSON|breaks off/],
    ["a list", "[]", "IIS_EVIDENCE_INVALID", /web1\.json: the file: /],
    ["another program's JSON", JSON.stringify({ format: "x\u001b[2J" }), "IIS_EVIDENCE_INVALID", /format: /],
  ])("refuses %s soon, in words that are safe to print", (_what, content, code, message) => {
    let thrown: unknown;
    try {
      readEvidenceFile(content, "web1.json");
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect((thrown as Error).message).toMatch(/^[\u0020-\u007e]*$/);
  });

  it("reads any JSON as evidence or refuses it by its own error", () => {
    const part = fc.constantFrom(
      "os",
      "clock",
      "table",
      "central",
      "configuration",
      "certificates",
      "events",
      "sites",
      "listeners",
      "problems",
      "addresses",
    );
    fc.assert(
      fc.property(fc.dictionary(part, fc.jsonValue({ maxDepth: 4 })), (parts) => {
        try {
          expect(read(parts).evidence.make).toBe("iis");
        } catch (error) {
          expect(error).toMatchObject({ code: "IIS_EVIDENCE_INVALID" });
        }
      }),
    );
  });
});
