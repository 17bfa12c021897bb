import { describe, expect, it, test } from "vitest";

import { instant, Secret, type HostPattern } from "../base/index.ts";
import type { FileReading, FileStatus } from "../pki/index.ts";
import { afterLook, leafOf, retryPause, withoutGood, worthRetry, type KnownFile } from "./known-file.ts";

const NOW = instant(1_000);
const FILE = "www.example.com.pfx";

function reading(status: FileStatus, thumbprint = "A"): FileReading {
  const [from, until] = status === "expired" ? [0, 500] : status === "not-yet-valid" ? [2_000, 3_000] : [0, 3_000];
  if (!["ok", "expired", "not-yet-valid"].includes(status)) return { status, problem: `it is ${status}`, remedy: "mend it" };
  const leaf = {
    subject: "CN=www.example.com",
    issuer: "CN=www.example.com",
    dnsNames: ["www.example.com"] as HostPattern[], // in normal form
    ipAddresses: [],
    serial: "01",
    notBefore: instant(from ?? 0),
    notAfter: instant(until ?? 0),
    keyType: "rsa" as const,
    keyName: "RSA 2048",
    signatureAlgorithm: "sha256WithRSAEncryption",
    thumbprint,
    sha256: thumbprint,
    isCa: false,
    selfSigned: true,
  };
  const rest = { chainEnds: "leaf-only" as const, keyMatches: true, unusedCertificates: 0, unusedKeys: 0 };
  const lists = { chain: [leaf], protection: [], refusedBy: [], warnings: [] };
  return { status, facts: { format: "pkcs12", leaf, ...rest, ...lists }, prepared: { chainPem: "c", keyPem: new Secret("k") } };
}

const look = (former: KnownFile | undefined, stamp: string, status: FileStatus, thumbprint?: string): KnownFile =>
  afterLook(FILE, former, { stamp, reading: reading(status, thumbprint) }, NOW);

const served = (known: KnownFile): string | undefined => (known.knowledge.state === "usable" ? known.knowledge.leaf.thumbprint : undefined);

describe("what is known after a look", () => {
  test.each([
    ["a good file is served", undefined, "ok", "B"],
    ["an expired file is served when there is nothing better", undefined, "expired", "B"],
    ["a file that is not yet valid is served when there is nothing better", undefined, "not-yet-valid", "B"],
    ["a bad file is not served", undefined, "malformed", undefined],
    ["a good file replaces a good one", "ok", "ok", "B"],
    ["a bad file does not replace a good one", "ok", "malformed", "A"],
    ["an unreadable file does not replace a good one", "ok", "unreadable", "A"],
    ["an expired file does not replace a valid one", "ok", "expired", "A"],
    ["a file that is not yet valid does not replace a valid one", "ok", "not-yet-valid", "A"],
    ["an expired file replaces an expired one", "expired", "expired", "B"],
    ["a valid file replaces an expired one", "expired", "ok", "B"],
    ["a bad file does not replace an expired one", "expired", "malformed", "A"],
    ["a good file replaces a bad one", "malformed", "ok", "B"],
  ] as const)("%s", (_name, former, next, expected) => {
    const known = look(former === undefined ? undefined : look(undefined, "1", former, "A"), "2", next, "B");
    expect(served(known)).toBe(expected);
    expect(known.bad === undefined).toBe(served(known) === "B");
    expect(known.stamp).toBe("2");
  });

  it("the same version that has expired meanwhile goes on, without a complaint about a successor", () => {
    const known = look(look(undefined, "1", "ok", "A"), "1", "expired", "A");
    expect(served(known)).toBe("A");
    expect(known.bad).toBeUndefined();
  });

  it("an earlier version that is lost leaves what is wrong with the file", () => {
    const bad = look(look(undefined, "1", "ok"), "2", "wrong-password");
    expect(withoutGood(FILE, bad).knowledge).toMatchObject({ state: "unusable", status: "wrong-password" });
    expect(withoutGood(FILE, look(undefined, "1", "ok")).knowledge).toMatchObject({ state: "unusable", status: "unreadable" });
  });

  it("a key of a kind that cannot be served is not served", () => {
    const good = reading("ok");
    if (good.facts === undefined) throw new Error("facts expected");
    const other = { ...good, facts: { ...good.facts, leaf: { ...good.facts.leaf, keyType: "other" as const } } };
    expect(leafOf(other)).toBeUndefined();
    expect(afterLook(FILE, undefined, { stamp: "1", reading: other }, NOW).knowledge).toMatchObject({ status: "unsupported-algorithm" });
  });
});

describe("looking again at a bad file", () => {
  it("comes soon, then ever more rarely, and at most once a minute", () => {
    const pauses = Array.from({ length: 12 }, (_, i) => retryPause(i + 1));
    expect(pauses[0]).toBe(1_000);
    expect(pauses.every((ms, i) => i === 0 || ms >= (pauses[i - 1] ?? 0))).toBe(true);
    expect(pauses.at(-1)).toBe(60_000);
  });

  it("ends for a bad file that does not change, never for one that could not be read or will become valid", () => {
    let known: Record<string, KnownFile | undefined> = {};
    for (let i = 0; i < 10; i += 1) {
      known = Object.fromEntries(
        (["malformed", "unreadable", "not-yet-valid"] as const).map((status) => {
          const former = known[status] ?? (status === "not-yet-valid" ? look(undefined, "0", "ok") : undefined);
          return [status, look(former, "1", status)];
        }),
      );
    }
    const again = Object.fromEntries(Object.entries(known).map(([status, file]) => [status, file !== undefined && worthRetry(file)]));
    expect(again).toEqual({ malformed: false, unreadable: true, "not-yet-valid": true });
    expect(worthRetry(look(known["malformed"], "2", "malformed"))).toBe(true);
  });
});
