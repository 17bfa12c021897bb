import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseIpAddress, requireHostName, type HostPattern, type IpAddress } from "../base/index.ts";
import type { EvidenceRow, EvidenceRowKey } from "../doctor/index.ts";
import { readNetsh } from "./read-netsh.ts";
import { ENGLISH, FRENCH, GERMAN, printNetsh, UNREADABLE, type NetshLayout } from "./testing/netsh-print.ts";

const SOURCE = "web1: netsh http show sslcert";
const HASH = "40db5bb1bf5659a155258d1d007c530fcb8996c2";
const IIS = "{4dc3e181-e14b-4a21-b022-59fc669b0914}";
const ADFS = "{5d89a20c-beab-4389-9447-324788eb944a}";

const rowsOf = (text: string | Uint8Array) => readNetsh(text, SOURCE).rows;
const keysOf = (text: string | Uint8Array) => rowsOf(text).map(({ key }) => key);

const CENTRAL = { kind: "central", port: 443 } as const;
const ANY = { kind: "any", family: 4, port: 443 } as const;

const NEWEST = `
SSL Certificate bindings: 
-------------------------

    IP:port                      : 0.0.0.0:443
    Certificate Hash             : ${HASH}
    Application ID               : ${IIS}
    Certificate Store Name       : My
    Verify Client Certificate Revocation : Enabled
    Verify Revocation Using Cached Client Certificate Only : Disabled
    Usage Check                  : Enabled
    Revocation Freshness Time    : 0
    URL Retrieval Timeout        : 15000
    Ctl Identifier               : (null)
    Ctl Store Name               : (null)
    DS Mapper Usage              : Disabled
    Negotiate Client Certificate : Disabled
    Reject Connections           : Disabled
    Disable HTTP2                : Not Set
    Enable Session Ticket        : Not Set
 Extended Properties:
    PropertyId                   : 0
    Receive Window               : 1048576
 Extended Properties:
    PropertyId                   : 1
    Max Settings Per Frame       : 2796202
    Max Settings Per Minute      : 4294967295

    Hostname:port                : www.example.com:443
    Certificate Hash             : ${HASH}${"0".repeat(24)}
    Application ID               : ${IIS}
    Certificate Store Name       : WebHosting
    Usage Check                  : Enabled

    Central Certificate Store    : 443
    Certificate Hash             : (null)
    Application ID               : ${IIS}
    Certificate Store Name       : (null)
    Usage Check                  : Enabled

`;

const OLDEST = `
SSL Certificate bindings:
-------------------------

    IP:port                 : 0.0.0.0:443 
    Certificate Hash        : ${HASH}
    Application ID          : ${IIS}
    Certificate Store Name  : MY 
    Verify Client Certificate Revocation    : Enabled
    Usage Check    : Enabled
    URL Retrieval Timeout   : 0 
    Ctl Identifier          : 
    Ctl Store Name          : AdfsTrustedDevices
    Negotiate Client Certificate    : Disabled

`;

const FRENCH_2022 = `
Liaisons de certificat SSL :
-------------------------

    Adresse IP:port              : [::]:8172
    Hachage du certificat        : ${HASH}
    ID de l'application          : {d7d72267-fcf9-4424-9eec-7e1d8dcec9a9}
    Nom du magasin de certificats :       : MY
    Vérifier la révocation des certificats clients : Enabled
    Désactiver HTTP2 :Not Set
    Délai d'attente de la récupération d'URL : 0
 Propriétés étendues :
    PropertyId                   : 0
    Fenêtre de réception         : 1048576
`;

const GERMAN_2012 = `
SSL-Zertifikatbindungen:
-------------------------

    IP:Port                 : 10.0.0.4:443
    Zertifikathash          : ${HASH}
    Anwendungs-ID           : ${ADFS}
    Zertifikatspeichername  : (null)
    Clientzertifikatsperrung überprüfen : Aktiviert

    Zentraler Zertifikatspeicher : 8443
    Zertifikathash          : (null)
    Anwendungs-ID           : ${IIS}
    Zertifikatspeichername  : (null)
    Verwendungsüberprüfung : Aktiviert
`;

describe("readNetsh", () => {
  it("reads what Windows Server 2022 prints", () => {
    const { rows, unread } = readNetsh(NEWEST, SOURCE);
    expect(unread).toEqual([]);
    expect(rows).toEqual([
      {
        key: ANY,
        thumbprint: HASH.toUpperCase(),
        storeName: "My",
        appId: IIS,
        options: expect.objectContaining({
          "URL Retrieval Timeout": "15000",
          "Ctl Store Name": "(null)",
          "Enable Session Ticket": "Not Set",
          "PropertyId 0 Receive Window": "1048576",
          "PropertyId 1 Max Settings Per Minute": "4294967295",
        }) as object,
      },
      {
        key: { kind: "host", host: "www.example.com", port: 443 },
        thumbprint: `${HASH}${"0".repeat(24)}`.toUpperCase(),
        storeName: "WebHosting",
        appId: IIS,
        options: { "Usage Check": "Enabled" },
      },
      { key: CENTRAL, appId: IIS, options: { "Usage Check": "Enabled" } },
    ]);
  });

  it("reads what Windows 7 prints", () => {
    const { rows, unread } = readNetsh(OLDEST, SOURCE);
    expect(unread).toEqual([]);
    expect(rows).toEqual([
      {
        key: ANY,
        thumbprint: HASH.toUpperCase(),
        storeName: "MY",
        appId: IIS,
        options: {
          "Verify Client Certificate Revocation": "Enabled",
          "Usage Check": "Enabled",
          "URL Retrieval Timeout": "0",
          "Ctl Identifier": "",
          "Ctl Store Name": "AdfsTrustedDevices",
          "Negotiate Client Certificate": "Disabled",
        },
      },
    ]);
  });

  it("reads French, with two colons and without a blank after one", () => {
    const { rows, unread } = readNetsh(FRENCH_2022, SOURCE);
    expect(unread).toEqual([]);
    expect(rows).toMatchObject([{ key: { kind: "any", family: 6, port: 8172 }, storeName: "MY", thumbprint: HASH.toUpperCase() }]);
    expect(rows[0]?.options).toMatchObject({ "Désactiver HTTP2": "Not Set", "PropertyId 0 Fenêtre de réception": "1048576" });
  });

  it("reads German, values in German too, and takes no store for a central row", () => {
    const { rows, unread } = readNetsh(GERMAN_2012, SOURCE);
    expect(unread).toEqual([]);
    expect(rows.map(({ key, appId, storeName }) => [key, appId, storeName])).toEqual([
      [{ kind: "ip", address: "10.0.0.4", port: 443 }, ADFS, undefined],
      [{ kind: "central", port: 8443 }, IIS, undefined],
    ]);
    expect(rows[0]?.options).toEqual({ "Clientzertifikatsperrung überprüfen": "Aktiviert" });
  });

  const block = (key: string, hash = HASH, more = "") => `  k : ${key}\n  h : ${hash}\n  a : ${IIS}\n  s : My\n${more}`;

  it.each([
    ["an address", "10.0.0.4:443", HASH, { kind: "ip", address: "10.0.0.4", port: 443 }],
    ["an IPv6 address in full", "[2001:DB8:0:0::4]:443", HASH, { kind: "ip", address: "2001:db8::4", port: 443 }],
    ["a link-local address with its zone", "[fe80::1%12]:443", HASH, { kind: "ip", address: "fe80::1", port: 443 }],
    ["every IPv6 address", "[::]:443", HASH, { kind: "any", family: 6, port: 443 }],
    ["every address without a certificate, which is no central row", "0.0.0.0:443", "(null)", ANY],
    ["a name", "WWW.Example.com:443", HASH, { kind: "host", host: "www.example.com", port: 443 }],
    ["a wildcard", "*.example.com:443", HASH, { kind: "host", host: "*.example.com", port: 443 }],
    ["a Unicode name", "münchen.de:443", HASH, { kind: "host", host: "xn--mnchen-3ya.de", port: 443 }],
    [
      "a name without a certificate: a central row for it alone",
      "www.example.com:443",
      "(null)",
      { kind: "scoped-central", host: "www.example.com", port: 443 },
    ],
    ["a star without a certificate, as documented before Windows Server 2012", "*:443", "(null)", CENTRAL],
    ["a bare port", "443", "(null)", CENTRAL],
    ["a bare port with nothing in place of the hash", "443", "", CENTRAL],
  ])("takes for a row: %s", (_what, key, hash, expected) => {
    expect(keysOf(block(key, hash))).toEqual([expected]);
  });

  it("needs no hash line for a star, and takes the GUID with 11 digits at its end that a manual prints", () => {
    expect(rowsOf("Hostname:port : *:443\nApplication ID : {00112233-4455-6677-8899-AABBCCDDEFF}\n")).toEqual([
      { key: CENTRAL, appId: "{00112233-4455-6677-8899-aabbccddeff}", options: {} },
    ]);
  });

  it("takes no time-out for a port, though a number stands before (null)", () => {
    expect(
      keysOf(block("0.0.0.0:443", HASH, "  URL Retrieval Timeout : 8443\n  Ctl Identifier : (null)\n  Ctl Store Name : (null)\n")),
    ).toEqual([ANY]);
  });

  it("reads what was pasted with odd indents, quotes, a prompt, without blank lines and with blank lines everywhere", () => {
    const pasted = `C:\\> netsh http show sslcert\n${NEWEST}C:\\Users\\admin>\n`;
    const expected = keysOf(NEWEST);
    const forms = [
      pasted,
      pasted.replaceAll(/^ +/gm, ""),
      pasted.replaceAll(/^ */gm, "\t  "),
      pasted.replaceAll(/\n\s*\n/g, "\n"),
      pasted.replaceAll("\n", "\n\n"),
      pasted.replaceAll(/^(.+)$/gm, "`$1`"),
      pasted.replaceAll(/^/gm, "> "),
      pasted.replaceAll("\n", "\r\n"),
    ];
    for (const form of forms) {
      const { rows, unread } = readNetsh(form, SOURCE);
      expect(rows.map(({ key }) => key)).toEqual(expected);
      expect(unread).toEqual([]);
    }
  });

  it("tells by line what it cannot read, and keeps the rows around it", () => {
    const { rows, unread } = readNetsh(
      [
        "Some words",
        block("0.0.0.0:443"),
        block("not a key"),
        block("10.0.0.4:99999"),
        block("443", HASH),
        block("443", "(null)"),
        "  IP:port : 1.2.3.4:443",
      ].join("\n"),
      SOURCE,
    );
    expect(rows.map(({ key }) => key)).toEqual([ANY, CENTRAL]);
    expect(unread).toEqual([
      { line: 1, text: "Some words" },
      ...[7, 12, 17].flatMap((line, at) => [
        { line, text: `k : ${["not a key", "10.0.0.4:99999", "443"][at]}` },
        { line: line + 1, text: `h : ${HASH}` },
        { line: line + 2, text: `a : ${IIS}` },
        { line: line + 3, text: "s : My" },
      ]),
      { line: 27, text: "IP:port : 1.2.3.4:443" },
    ]);
    expect(rows[0]?.options).toEqual({});
  });

  it("has no row for an empty table, and the words of an error as unread", () => {
    expect(readNetsh("\nSSL Certificate bindings: \n-------------------------\n\n", SOURCE)).toEqual({
      source: SOURCE,
      rows: [],
      unread: [],
    });
    expect(readNetsh("The system cannot find the file specified.\n", SOURCE).unread).toEqual([
      { line: 1, text: "The system cannot find the file specified." },
    ]);
  });

  describe("encodings", () => {
    const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();
    it.each([
      ["UTF-8", Buffer.from(FRENCH_2022)],
      ["UTF-8 with a mark", Buffer.from(`\uFEFF${FRENCH_2022}`)],
      ["UTF-16LE", Buffer.from(FRENCH_2022, "utf16le")],
      ["UTF-16LE with a mark", Buffer.from(`\uFEFF${FRENCH_2022}`, "utf16le")],
      ["UTF-16BE", utf16be(FRENCH_2022)],
      ["UTF-16BE with a mark", utf16be(`\uFEFF${FRENCH_2022}`)],
      ["Windows-1252", Buffer.from(FRENCH_2022, "latin1")],
    ])("reads %s", (_name, bytes) => {
      const { rows, unread } = readNetsh(bytes, SOURCE);
      expect(rows).toEqual(rowsOf(FRENCH_2022));
      expect(unread).toEqual([]);
    });

    it.each([
      ["850 (Western Europe)", Buffer.from("V\u0082rifier\u00ff: ", "latin1")],
      ["932 (Japanese)", Buffer.from([0x8f, 0xd8, 0x96, 0xbe, 0x8f, 0x91, 0x83, 0x5c, 0x20, 0x3a, 0x20])],
      ["936 (Chinese)", Buffer.from([0xd6, 0xa4, 0xca, 0xe9, 0xb9, 0xfe, 0xcf, 0xa3, 0x20, 0x3a, 0x20])],
    ])("needs no label to be readable: code page %s", (_name, label) => {
      const line = (value: string) => Buffer.concat([Buffer.from("    "), label, Buffer.from(`${value}\r\n`)]);
      const bytes = Buffer.concat([
        line("443"),
        line("(null)"),
        line(IIS),
        line("(null)"),
        line("Enabled"),
        Buffer.from("\r\n"),
        line("0.0.0.0:443"),
        line(HASH),
        line(IIS),
        line("MY"),
      ]);
      const { rows, unread } = readNetsh(bytes, SOURCE);
      expect(rows.map(({ key, storeName }) => [key, storeName])).toEqual([
        [CENTRAL, undefined],
        [ANY, "MY"],
      ]);
      expect(unread).toEqual([]);
    });
  });

  describe("json=enable", () => {
    const entry = (fields: object) => JSON.stringify({ SslCertificateBindings: [fields] });
    it.each([
      ["an endpoint in one text", { IpPort: "0.0.0.0:443", CertificateHash: HASH, GuidString: IIS, CertificateStoreName: "My" }, ANY],
      [
        "an address and a port apart",
        { Address: "10.0.0.4", Port: 443, CertHash: HASH, GuidString: IIS, StoreName: "My" },
        { kind: "ip", address: "10.0.0.4", port: 443 },
      ],
      [
        "a name and a port apart",
        { Hostname: "www.example.com", Port: 443, CertHash: HASH, GuidString: IIS, StoreName: "My" },
        { kind: "host", host: "www.example.com", port: 443 },
      ],
      [
        "an IPv6 address and a port apart",
        { IpAddress: "2001:db8::4", Port: 443, CertHash: HASH, GuidString: IIS, StoreName: "My" },
        { kind: "ip", address: "2001:db8::4", port: 443 },
      ],
      [
        "a hash of octets",
        { IpPort: "0.0.0.0:443", Hash: [...Buffer.from(HASH, "hex")], GuidString: IIS, CertificateStoreName: "My" },
        ANY,
      ],
    ])("reads %s", (_what, fields, key) => {
      const { rows, unread } = readNetsh(entry({ ...fields, Flags: { DisableHttp2: 0 } }), SOURCE);
      expect(unread).toEqual([]);
      expect(rows).toEqual([{ key, thumbprint: HASH.toUpperCase(), storeName: "My", appId: IIS, options: { "Flags DisableHttp2": "0" } }]);
    });

    it("reads a central row, with a console's lines around", () => {
      const text = `C:\\> netsh http show sslcert json=enable\r\n\r\n${entry({ CcsPort: 443, CertificateHash: null, GuidString: IIS.slice(1, -1), CertificateStoreName: null })}\r\nC:\\>`;
      expect(rowsOf(text)).toEqual([{ key: CENTRAL, appId: IIS, options: { CertificateHash: "(null)", CertificateStoreName: "(null)" } }]);
    });

    it("tells what it cannot read, by entry", () => {
      const { rows, unread } = readNetsh(
        JSON.stringify({ SslCertificateBindings: [{ IpPort: "0.0.0.0:443", H: HASH, G: IIS }, { odd: true }, 3] }),
        SOURCE,
      );
      expect(rows).toHaveLength(1);
      expect(unread).toEqual([
        { line: 2, text: '{"odd":true}' },
        { line: 3, text: "3" },
      ]);
    });

    it("says where JSON breaks off", () => {
      expect(readNetsh('{ "SslCertificateBindings": [ { "IpPort": "0.0.0.0:443" }, {', SOURCE).unread).toHaveLength(1);
    });
  });

  describe("round trip", () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    const host = fc.domain().map((name) => requireHostName(name) as string as HostPattern);
    const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => parseIpAddress(text) ?? ("10.0.0.1" as IpAddress));
    const digits = (length: number) =>
      fc.string({ unit: fc.constantFrom(..."0123456789ABCDEF".split("")), minLength: length, maxLength: length });
    const key: fc.Arbitrary<EvidenceRowKey> = fc.oneof(
      fc.record({ kind: fc.constant("ip" as const), address, port }).filter((row) => row.address !== "0.0.0.0" && row.address !== "::"),
      fc.record({ kind: fc.constant("any" as const), family: fc.constantFrom(4 as const, 6 as const), port }),
      fc.record({ kind: fc.constantFrom("host" as const, "scoped-central" as const), host, port }),
      fc.record({ kind: fc.constant("central" as const), port }),
    );
    const options = (on: string) =>
      fc.dictionary(
        fc.constantFrom("Usage Check", "Vérifier", "Ctl Identifier", "Timeout", "IP:Label of more", "__proto__", "�ؖ���"),
        fc.oneof(fc.constantFrom(on, "Not Set", "(null)", "", "0", "15000", "a: b", "x : y"), port.map(String)),
      );
    const row = (on: string): fc.Arbitrary<EvidenceRow> =>
      fc
        .record({
          key,
          hash: fc.oneof(digits(40), digits(64)),
          appId: fc.uuid().map((text) => `{${text}}`),
          store: fc.constantFrom(undefined, "My", "WebHosting", "Magasin à moi"),
          options: options(on),
        })
        .map(({ key: of, hash, appId, store, options: more }) => ({
          key: of,
          ...(of.kind === "central" || of.kind === "scoped-central" ? {} : { thumbprint: hash }),
          ...(store === undefined ? {} : { storeName: store }),
          appId,
          options: more,
        }));
    const layout: fc.Arbitrary<NetshLayout> = fc.record({
      language: fc.constantFrom(ENGLISH, FRENCH, GERMAN, UNREADABLE),
      indent: fc.nat(8),
      pad: fc.constantFrom(0, 24, 29),
      colon: fc.constantFrom(" : ", ": ", " :", " :       : "),
      trailing: fc.constantFrom("", " "),
      lineEnd: fc.constantFrom("\n", "\r\n"),
      quote: fc.constantFrom("", "`", "> "),
      heading: fc.boolean(),
      blankBetween: fc.boolean(),
    });
    const encode = fc.constantFrom<(text: string) => string | Uint8Array>(
      (text) => text,
      (text) => Buffer.from(text),
      (text) => Buffer.from(text, "utf16le"),
      (text) => Buffer.from(`\uFEFF${text}`, "utf16le").swap16(),
    );

    it("gives back every row, whatever the layout, language, indent and encoding", () => {
      const table = layout.chain((of) => fc.tuple(fc.constant(of), fc.array(row(of.language.on), { minLength: 1, maxLength: 6 }), encode));
      fc.assert(
        fc.property(table, ([of, rows, encoded]) => {
          const { rows: read, unread } = readNetsh(encoded(printNetsh(rows, of)), SOURCE);
          expect(read).toEqual(rows);
          expect(unread).toEqual([]);
        }),
        { numRuns: 200 },
      );
    });

    it("reads any text without failing, and accounts for every line of it", () => {
      const word = fc.constantFrom(
        "k : 0.0.0.0:443",
        `h : ${HASH}`,
        `a : ${IIS}`,
        "s : My",
        "n : (null)",
        "t : 443",
        "words",
        "x : y",
        "",
        "PropertyId : 1",
        "Extended:",
      );
      fc.assert(
        fc.property(fc.array(fc.oneof(word, fc.string({ unit: "binary-ascii" })), { maxLength: 40 }), (lines) => {
          const { rows, unread } = readNetsh(lines.join("\n"), SOURCE);
          const guids = lines.filter((line) => line === `a : ${IIS}`).length;
          const told = rows.filter(({ appId }) => appId === IIS).length + unread.filter(({ text }) => text === `a : ${IIS}`).length;
          const kept = rows.flatMap((one) => Object.values(one.options)).filter((value) => value === IIS).length;
          expect(told + kept).toBe(guids);
        }),
        { numRuns: 100 },
      );
    });
  });

  describe("hostile texts", () => {
    it("are refused when they are too large, naming the file", () => {
      expect(() => readNetsh(Buffer.alloc(64 * 1024 * 1024 + 1), SOURCE)).toThrow(
        expect.objectContaining({ code: "IIS_INPUT_TOO_LARGE", message: expect.stringContaining(SOURCE) as string }),
      );
      expect(() => readNetsh("x\n".repeat(1_000_001), SOURCE)).toThrow(expect.objectContaining({ code: "IIS_INPUT_TOO_LARGE" }));
    });

    it.each([
      ["long lines of blanks", `${" ".repeat(2_000_000)}\n`],
      ["many colons", ":".repeat(2_000_000)],
      ["one row with 300,000 options of one name", block("0.0.0.0:443", HASH, "a : b\n".repeat(300_000))],
      ["zero octets", "\u0000".repeat(2_000_000)],
      ["JSON that nests", `{ "SslCertificateBindings": ${"[".repeat(30)}${"]".repeat(30)} }`],
    ])("end soon: %s", (_what, text) => {
      const { unread } = readNetsh(text, SOURCE);
      expect(unread.length).toBeLessThanOrEqual(201);
    });

    it("refuses JSON that nests too deep", () => {
      expect(() => readNetsh(`{ "SslCertificateBindings": ${"[".repeat(100_000)}`, SOURCE)).toThrow(
        expect.objectContaining({ code: "IIS_INPUT_TOO_LARGE" }),
      );
    });

    it("counts unread lines that it does not list", () => {
      const { unread } = readNetsh("words\n".repeat(1_000), SOURCE);
      expect(unread).toHaveLength(201);
      expect(unread.at(-1)).toEqual({ line: 201, text: "… and 800 more lines that could not be read" });
    });
  });
});
