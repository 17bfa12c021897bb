import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { instant, parseIpAddress, requireHostName } from "../base/index.ts";
import type { CentralEvidence, EvidenceRow, InstalledCertificate, NodeEvidence } from "../doctor/index.ts";
import { explainIis, formatIisExplanation } from "./explain-iis.ts";
import type { IisQuestion } from "./explanation.ts";
import { readNetsh } from "./read-netsh.ts";

const A = "A".repeat(40);
const B = "B".repeat(40);

/** Rows by what netsh shows of them: `10.0.0.4:443 AAAA…`, `443` for a central row. */
function rowsOf(...texts: readonly string[]): readonly EvidenceRow[] {
  const blocks = texts.map((text) => {
    const [key = "", hash = "(null)"] = text.split(" ");
    return `  k : ${key}\n  h : ${hash}\n  a : {4dc3e181-e14b-4a21-b022-59fc669b0914}\n  s : ${hash === "(null)" ? "(null)" : "My"}\n`;
  });
  return readNetsh(blocks.join("\n"), "web1").rows;
}

const files = (...names: readonly string[]): CentralEvidence => ({
  source: "share",
  installed: true,
  enabled: true,
  files: names.map((name) => ({ name, size: 1 })),
});

const node = (rows: readonly EvidenceRow[], more: Partial<NodeEvidence> = {}): NodeEvidence => ({
  make: "iis",
  source: "web1.json",
  table: { source: "web1: netsh", rows, unread: [] },
  ...more,
});

function ask(evidence: NodeEvidence, serverName?: string, address?: string) {
  const parsed = address === undefined ? undefined : parseIpAddress(address);
  const question: IisQuestion = {
    port: 443,
    ...(serverName === undefined ? {} : { serverName: requireHostName(serverName) }),
    ...(parsed === undefined ? {} : { address: parsed }),
  };
  return explainIis(evidence, question);
}

const serves = (evidence: NodeEvidence, serverName?: string, address?: string): string => {
  const { outcome } = ask(evidence, serverName, address);
  return outcome.kind === "serve" ? (outcome.file ?? outcome.thumbprint ?? "") : outcome.kind;
};

const ALL = node(
  rowsOf(`10.0.0.4:443 ${A}`, `www.example.com:443 ${B}`, "443", `[::]:443 ${"C".repeat(40)}`, `0.0.0.0:443 ${"D".repeat(40)}`),
  {
    central: files("shop.example.com.pfx", "_.example.com.pfx", "мороженое.рф.pfx", "xn--mnchen-3ya.de.pfx"),
  },
);

describe("explainIis", () => {
  it.each([
    ["the row of the address, whatever the name", "shop.example.com", "10.0.0.4", A],
    ["the row of the name", "www.example.com", "10.0.0.5", B],
    ["the file of the name", "shop.example.com", "10.0.0.5", "shop.example.com.pfx"],
    ["the file of the wildcard", "a.example.com", "10.0.0.5", "_.example.com.pfx"],
    ["the Unicode file of a name in A-labels", "мороженое.рф", "10.0.0.5", "мороженое.рф.pfx"],
    ["not the file in A-labels: the row for any address", "münchen.de", "10.0.0.5", "D".repeat(40)],
    ["not a wildcard of two labels", "a.b.example.com", "10.0.0.5", "D".repeat(40)],
    ["the row for any IPv6 address, by IPv6", "other.org", "2001:db8::4", "C".repeat(40)],
    ["the row for any address without a name", undefined, "10.0.0.5", "D".repeat(40)],
    ["the files without an address", "shop.example.com", undefined, "shop.example.com.pfx"],
  ])("takes %s", (_what, serverName, address, expected) => {
    expect(serves(ALL, serverName, address)).toBe(expected);
  });

  it("resets without a row for the port, and without a central row", () => {
    expect(serves(node(rowsOf()), "www.example.com")).toBe("reset");
    expect(serves(node(rowsOf(`www.example.com:443 ${A}`), { central: files("shop.example.com.pfx") }), "shop.example.com")).toBe("reset");
  });

  it("cannot tell without the table, nor without a listing of the share", () => {
    expect(ask({ make: "iis", source: "x" }).outcome).toMatchObject({ kind: "unknown" });
    expect(ask(node(rowsOf("443")), "www.example.com").outcome).toEqual({
      kind: "unknown",
      because: "the share was not listed: www.example.com.pfx or _.example.com.pfx would be served",
    });
  });

  it.each([
    ["not installed", { installed: false }],
    ["turned off", { enabled: false }],
    [
      "cannot be read as FARM\\reader (logon: no)",
      { user: "FARM\\reader", access: { kind: "failed", cause: "logon", message: "no" } as const },
    ],
  ])("says that the store is of no use when it is %s", (words, change) => {
    const { trail, outcome } = ask(node(rowsOf("443"), { central: { ...files("www.example.com.pfx"), ...change } }), "www.example.com");
    expect(outcome.kind).toBe("reset");
    expect(trail.map(({ because }) => because).join("\n")).toContain(words);
  });

  it("passes over a file that the account may not read, and says that this is assumed", () => {
    const central: CentralEvidence = {
      source: "share",
      files: [
        { name: "WWW.example.com.PFX", size: 1, access: "denied" },
        { name: "_.example.com.pfx", size: 1 },
      ],
    };
    const { outcome, assumed, trail } = ask(node(rowsOf("443"), { central }), "www.example.com");
    expect(outcome).toMatchObject({ kind: "serve", file: "_.example.com.pfx" });
    expect(trail.find(({ look }) => look === "exact file")?.outcome).toBe("unusable");
    expect(assumed).toEqual(["A file that cannot be opened counts as one that is not there."]);
  });

  const installed = (changes: Partial<InstalledCertificate>): InstalledCertificate => ({
    source: "web1",
    store: "My",
    thumbprint: A,
    subject: "CN=www.example.com",
    issuer: "CN=Example CA",
    dnsNames: ["www.example.com"],
    notBefore: instant(0),
    notAfter: instant(Date.UTC(2027, 0, 31)),
    ...changes,
  });

  it.each([
    ["is in another store", { store: "WebHosting" }, "it is in WebHosting"],
    ["has no key", { hasKey: false }, "has no private key"],
    ["has a key that cannot be read", { keyReadable: false }, "cannot read"],
    ["is not there", { thumbprint: B }, "is not installed (HttpEvent 15021)"],
  ])("resets when the certificate of a row %s", (_what, change, words) => {
    const { outcome, trail } = ask(node(rowsOf(`0.0.0.0:443 ${A}`), { certificates: [installed(change)] }), "www.example.com");
    expect(outcome.kind).toBe("reset");
    expect(trail.some(({ because }) => because.includes(words))).toBe(true);
  });

  it("prints steps, outcome and what is assumed", () => {
    const evidence = node(rowsOf("443", `0.0.0.0:443 ${A}`), { certificates: [installed({})], central: files() });
    expect(formatIisExplanation(ask(evidence, "www.example.com", "10.0.0.4"))).toEqual([
      "1. · ip row         no row for 10.0.0.4:443",
      "2. · host row       no row for www.example.com on port 443",
      "3. ✓ central row    central:443: the file is chosen by the name www.example.com",
      "4. · exact file     no file is named www.example.com.pfx",
      "5. · wildcard file  no file is named _.example.com.pfx",
      `6. ✓ any row        any:0.0.0.0:443: thumbprint ${A} in My, CN=www.example.com, valid until 2027-01-31`,
      `✓ served: the certificate ${A} in My by row any:0.0.0.0:443`,
      "? assumed: A name without a central file goes on to the rows for any address: described for Windows Server 2012, not proved for 2019 and later.",
    ]);
  });

  it("always ends, and what serves is a row of the table", () => {
    const keys = [
      "10.0.0.4:443",
      "www.example.com:443",
      "*.example.com:443",
      "443",
      "[::]:443",
      "0.0.0.0:443",
      "8443",
      "[2001:db8::4]:443",
    ];
    fc.assert(
      fc.property(
        fc.subarray(keys),
        fc.subarray(["www.example.com.pfx", "_.example.com.pfx", "xn--mnchen-3ya.de.pfx"]),
        fc.constantFrom(undefined, "www.example.com", "a.example.com", "münchen.de", "localhost"),
        fc.constantFrom(undefined, "10.0.0.4", "10.0.0.5", "2001:db8::4"),
        (rows, names, serverName, address) => {
          const table = rowsOf(...rows.map((key) => (/^\d+$/.test(key) ? key : `${key} ${A}`)));
          const { outcome, trail } = ask(node(table, { central: files(...names) }), serverName, address);
          expect(trail.filter(({ outcome: step }) => step === "chosen")).toHaveLength(outcome.kind === "serve" ? 1 : 0);
          if (outcome.kind === "serve") expect(table.map(({ key }) => key)).toContainEqual(outcome.row);
          else expect(outcome.kind).toBe("reset");
        },
      ),
    );
  });
});
