import { describe, expect, it } from "vitest";

import { EVIDENCE_FORMAT } from "./evidence-file.ts";
import { evidenceFromFiles } from "./evidence-from-files.ts";

const IIS = "{4dc3e181-e14b-4a21-b022-59fc669b0914}";
const NETSH = `\nLiaisons de certificat SSL :\n-------------------------\n\n    Magasin : 443\n    Hachage : (null)\n    ID : ${IIS}\n    Nom : (null)\n`;
const REDIRECTION = '<configuration><configurationRedirection enabled="true" path="\\\\files\\config"/></configuration>';
const HOST =
  '<configuration><configSections><sectionGroup name="system.applicationHost"/></configSections><system.applicationHost><sites>' +
  '<site name="Shop"><bindings><binding protocol="https" bindingInformation="*:443:www.example.com" sslFlags="3"/></bindings></site>' +
  "</sites></system.applicationHost></configuration>";
const LISTING = `
 Volume in drive Z is Data
 Directory of \\\\files\\certs

24/11/2026  14:18    <DIR>          .
24/11/2026  14:18    <DIR>          old
24/11/2026  14:18             4.294 www.example.com.pfx
24/11/2026  14:19               512 _.example.com.pfx
               2 File(s)          4.806 bytes
               2 Dir(s)  10.000.000.000 bytes free
`;

const files = (contents: Readonly<Record<string, string | Uint8Array>>) =>
  Object.entries(contents).map(([path, content]) => ({ path, bytes: typeof content === "string" ? Buffer.from(content) : content }));

const read = (contents: Readonly<Record<string, string | Uint8Array>>) => evidenceFromFiles("web1", files(contents));

describe("evidenceFromFiles", () => {
  it("recognises each file by what is in it, whatever its name", () => {
    const { name, evidence, gaps } = read({
      "web1/a.txt": NETSH,
      "web1/b": Buffer.from(HOST, "utf16le"),
      "web1/c.xml": REDIRECTION,
      "web1/d.log": LISTING,
    });
    expect(name).toBe("web1");
    expect(gaps).toEqual([]);
    expect(evidence).toMatchObject({
      make: "iis",
      source: "web1",
      table: { source: "web1/a.txt", rows: [{ key: { kind: "central", port: 443 } }] },
      bindings: { source: "web1/b", bindings: [{ host: "www.example.com", sni: true, central: true }] },
      configuration: { redirection: { enabled: true, path: "\\\\files\\config" } },
      central: {
        source: "web1/d.log",
        location: "\\\\files\\certs",
        files: [
          { name: "www.example.com.pfx", size: 4294 },
          { name: "_.example.com.pfx", size: 512 },
        ],
      },
    });
  });

  it("reads a script's file in the folder, under the folder's name", () => {
    const file = JSON.stringify({
      format: EVIDENCE_FORMAT,
      version: 1,
      server: "WEB1",
      collectedAt: "2026-06-15T12:00:00Z",
      table: { text: NETSH },
    });
    const { name, evidence, gaps } = read({ "web1/WEB1.json": `\uFEFF${file}`, "web1/applicationHost.config": HOST });
    expect(name).toBe("web1");
    expect(evidence).toMatchObject({
      source: "web1/WEB1.json",
      at: Date.UTC(2026, 5, 15, 12),
      bindings: { bindings: [{}] },
      table: { rows: [{}] },
    });
    expect(gaps.every(({ node }) => node === "web1")).toBe(true);
  });

  it.each([
    [
      "a file of another kind",
      { "web1/notes.txt": "call the \u001b[31mlandlord" },
      'web1/notes.txt is nothing that is read here; it begins with "call the \\u001b[31mlandlord"',
    ],
    [
      "a print without the right to see the table",
      { "web1/netsh.txt": "The requested operation requires elevation.\n" },
      "requires elevation",
    ],
    [
      "rows of a table that cannot be read",
      { "web1/netsh.txt": NETSH + NETSH.replace("443", "oddity") },
      'could not be read: line 13: "Magasin : oddity", line 14: "Hachage : (null)", line 15: "ID : {4dc3e181-e14b-4a21-b022-59fc669b0914}", and 1 more',
    ],
    [
      "bindings that cannot be read",
      { "web1/applicationHost.config": HOST.replace("*:443:", "443 ") },
      'web1/applicationHost.config: could not be read: line 1: "https 443 www.example.com"',
    ],
    ["a second file of a kind", { "web1/a.txt": NETSH, "web1/b.txt": NETSH }, "web1/b.txt was left out: web1/a.txt is of the same kind"],
    ["a damaged script's file", { "web1/a.json": `{"format":"${EVIDENCE_FORMAT}","version":1}` }, "web1/a.json: server: "],
    ["too large a file", { "web1/a.bin": Buffer.alloc(64 * 1024 * 1024 + 1) }, "octets; at most"],
    ["no table", { "web1/applicationHost.config": HOST }, "no print of `netsh http show sslcert`"],
  ])("tells %s as a gap", (_what, contents, why) => {
    expect(
      read(contents as Record<string, string>)
        .gaps.map((gap) => gap.why)
        .join("\n"),
    ).toContain(why);
  });

  it.each([
    ["empty", ""],
    ["cut off", HOST.slice(0, 200)],
    ["full of zero octets", "\u0000".repeat(2048)],
  ])("keeps a configuration that is %s as the server's problem", (_what, text) => {
    const { evidence } = read({ "web1/applicationHost.config": text });
    expect(evidence.configuration?.problem).toMatch(/^web1\/applicationHost\.config: line \d+, column \d+: /);
    expect(evidence.bindings).toBeUndefined();
  });

  it.each([
    ["American", "11/24/2026  02:18 PM             4,294 www.example.com.pfx"],
    ["German", "24.11.2026  14:18             4.294 www.example.com.pfx"],
    ["French, in an unknown code page", Buffer.from("24/11/2026  14:18             4\u00ff294 www.example.com.pfx", "latin1")],
    ["Swiss", "24.11.2026  14:18             4’294 www.example.com.pfx"],
    ["Swedish", "2026-11-24  14:18             4\u00A0294 www.example.com.pfx"],
    ["Korean", "2026-11-24  오후 02:18             4,294 www.example.com.pfx"],
    [
      "PowerShell's",
      "Mode                 LastWriteTime         Length Name\n----                 -------------         ------ ----\n-a----        11/24/2026   2:18 PM           4294 www.example.com.pfx",
    ],
  ])("reads a listing: %s", (_what, text) => {
    expect(read({ "web1/listing.txt": text }).evidence.central?.files).toEqual([{ name: "www.example.com.pfx", size: 4294 }]);
  });

  it("reads the first folder of a listing alone", () => {
    const below = LISTING.replace("certs", "certs\\old").replace("www.", "old.");
    expect(read({ "web1/listing.txt": LISTING + below }).evidence.central?.files).toHaveLength(2);
  });

  it("says that names in an unknown code page are not certain", () => {
    const bytes = Buffer.from("24.11.2026  14:18   4294 m\u0081nchen.de.pfx", "latin1");
    expect(
      read({ "web1/listing.txt": bytes })
        .gaps.map((gap) => gap.why)
        .join("\n"),
    ).toContain("its code page is not known");
  });

  it("reads a hostile listing soon", () => {
    const line = `${"\\\\a\\ ".repeat(600)}:\n`;
    const started = performance.now();
    const { evidence } = read({ "web1/listing.txt": `24.11.2026  14:18   4 a.pfx\n${line.repeat(5_000)}` });
    expect(evidence.central?.files).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
