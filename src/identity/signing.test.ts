import { generateKeyPairSync, sign } from "node:crypto";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { instant } from "../base/index.ts";
import { bytesToSign, isStatement, joinSignature, readStatement, type Statement } from "./signing-bytes.ts";
import { signStatement, verifyStatement, type Expectation, type StatementReason } from "./signing.ts";
import { makeTestAuthority, type TestAuthority } from "./testing/test-identities.ts";
import type { Identity, IdentityTrust } from "./types.ts";

const NOW = instant(Date.parse("2026-06-15T12:00:00Z"));
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

let farm: TestAuthority;
let other: TestAuthority;
let ann: Identity;
let web1: Identity;
let trust: IdentityTrust;
beforeAll(async () => {
  farm = await makeTestAuthority("00112233445566aa", NOW);
  other = await makeTestAuthority("00112233445566aa", NOW);
  [ann, web1] = await Promise.all([farm.issue("admin", "ann"), farm.issue("node", "web1")]);
  trust = { authorityPem: farm.authorityPem, farmId: farm.farmId, revoked: farm.revoked };
});

const statement = (changes: Partial<Statement> = {}): Statement => ({
  kind: "request",
  farmId: farm.farmId,
  to: "web1",
  id: "7f",
  issuedAt: NOW,
  notAfter: instant(NOW + MINUTE),
  body: text('{"verb":"table.add"}'),
  ...changes,
});
const expected = (changes: Partial<Expectation> = {}): Expectation => ({
  kind: "request",
  to: "web1",
  role: "admin",
  trust,
  now: NOW,
  ...changes,
});
const reasonOf = (bytes: Uint8Array, changes: Partial<Expectation> = {}): StatementReason | "verified" => {
  const read = verifyStatement(bytes, expected(changes));
  return read.kind === "refused" ? read.reason : read.kind;
};

describe("a statement", () => {
  it("says who signed it and what", () => {
    const read = verifyStatement(signStatement(ann, statement()), expected());
    expect(read).toMatchObject({ kind: "verified", signer: { role: "admin", name: "ann" }, statement: { to: "web1", id: "7f" } });
    expect(read.kind === "verified" && new TextDecoder().decode(read.statement.body)).toBe('{"verb":"table.add"}');
  });

  it("comes out as it went in, whatever its fields hold, and no other fields are written with the same octets", () => {
    const field = fc.string({ maxLength: 60, unit: "grapheme" });
    const fields = fc.record({ to: field, id: field, body: fc.uint8Array({ maxLength: 200 }) });
    fc.assert(
      fc.property(fields, fields, (one, two) => {
        const [first, second] = [one, two].map((given) => bytesToSign(statement(given), text("certificate")));
        const read = readStatement(joinSignature(first ?? text(""), new Uint8Array(64)));
        expect(read?.statement).toMatchObject({ to: one.to, id: one.id });
        expect(Buffer.from(read?.statement.body ?? text("")).equals(one.body)).toBe(true);
        const same = one.to === two.to && one.id === two.id && Buffer.from(one.body).equals(two.body);
        expect(Buffer.from(first ?? text("")).equals(second ?? text(""))).toBe(same);
      }),
    );
  });

  it("with any octet changed is refused", () => {
    const bytes = signStatement(ann, statement());
    for (let at = 0; at < bytes.length; at += 1) {
      const bent = Uint8Array.from(bytes);
      bent[at] = (bent[at] ?? 0) ^ (1 + (at % 255));
      expect([at, reasonOf(bent)]).not.toEqual([at, "verified"]);
    }
  });

  it("with octets cut off, doubled or put in anywhere is refused", () => {
    const bytes = signStatement(ann, statement());
    const place = fc.nat(bytes.length);
    fc.assert(
      fc.property(place, place, fc.uint8Array({ maxLength: 80 }), (from, to, put) => {
        const spliced = Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(to)]);
        fc.pre(!spliced.equals(bytes));
        expect(reasonOf(spliced)).not.toBe("verified");
      }),
      { numRuns: 300 },
    );
  });

  it("that is none is refused without an error: any octets, with and without its beginning", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(reasonOf(bytes)).toBe("unsigned");
        expect(reasonOf(Buffer.concat([Uint8Array.of(0x43, 0x46, 0x53, 1), bytes]))).toBe("malformed");
      }),
    );
  });

  it("is never taken for JSON, nor JSON for it", () => {
    expect(isStatement(signStatement(ann, statement()))).toBe(true);
    expect(() => JSON.parse(new TextDecoder().decode(signStatement(ann, statement())))).toThrow(SyntaxError);
    expect(isStatement(text('{"verb":"table.add"}'))).toBe(false);
  });
});

describe("a statement is refused", () => {
  it.each<[string, StatementReason, Partial<Statement>, Partial<Expectation>]>([
    ["of another farm", "other-farm", { farmId: "ffffffffffffffff" }, {}],
    ["of another kind", "other-kind", { kind: "answer" }, {}],
    ["for another node", "other-recipient", { to: "web2" }, {}],
    ["for a node whose name only begins alike", "other-recipient", { to: "web10" }, {}],
    ["that was used before", "replayed", {}, { seen: (id) => id === "7f" }],
    ["whose window is over by more than clocks may differ", "too-old", {}, { now: instant(NOW + MINUTE + 2 * HOUR + 1) }],
    ["that is to come", "too-new", {}, { now: instant(NOW - 2 * HOUR - 1) }],
    ["with no end where one is needed", "too-old", { notAfter: undefined }, {}],
    ["with a window of a day", "too-old", { notAfter: instant(NOW + 24 * HOUR) }, {}],
  ])("%s", (_name, reason, changes, expectation) => {
    expect(verifyStatement(signStatement(ann, statement(changes)), expected(expectation))).toMatchObject({ kind: "refused", reason });
  });

  it("signed after its certificate had run out, also where no clock but the signer's is asked", () => {
    const { now: _now, ...timeless } = expected();
    const late = statement({ issuedAt: instant(NOW + 25 * HOUR), notAfter: undefined });
    expect(verifyStatement(signStatement(ann, late), timeless)).toMatchObject({ kind: "refused", reason: "expired" });
  });

  it.each<[string, StatementReason, () => Promise<Identity>]>([
    ["a node", "role", async () => web1],
    [
      "an admin whose certificate is not valid yet",
      "not-yet-valid",
      () => farm.issue("admin", "eve", { notBefore: instant(NOW + MINUTE) }),
    ],
    ["a balancer", "role", () => farm.issue("balancer", "front")],
    ["an admin of another authority with the farm's id", "untrusted", () => other.issue("admin", "ann")],
    [
      "an admin that the same authority made for another farm",
      "other-farm",
      () => farm.issue("admin", "ann", { farmId: "ffffffffffffffff" }),
    ],
    ["an admin's certificate with another key", "signature", async () => ({ ...ann, key: web1.key })],
    [
      "an admin's certificate with a key of another curve",
      "signature",
      async () => ({ ...ann, key: generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey }),
    ],
  ])("signed by %s", async (_name, reason, who) => {
    expect(reasonOf(signStatement(await who(), statement()))).toBe(reason);
  });

  it("when its signer is revoked", async () => {
    const bob = await farm.issue("admin", "bob");
    const bytes = signStatement(bob, statement());
    const read = verifyStatement(bytes, expected());
    expect(read.kind).toBe("verified");
    const revoked = new Set(read.kind === "verified" ? [read.signer.serial] : []);
    expect(reasonOf(bytes, { trust: { ...trust, revoked } })).toBe("revoked");
  });

  it("when the node that must have signed it is another", () => {
    const bytes = signStatement(web1, statement({ kind: "answer" }));
    const answer = { kind: "answer", role: "node" } as const;
    expect(reasonOf(bytes, { ...answer, signer: "web1" })).toBe("verified");
    expect(reasonOf(bytes, { ...answer, signer: "web2" })).toBe("role");
  });

  it("when something stands behind the certificate inside it", async () => {
    const der = Buffer.from(ann.certificatePem.replace(/-----[^-]+-----|\s/g, ""), "base64");
    const signed = bytesToSign(statement(), Buffer.concat([der, text("more")]));
    const bytes = joinSignature(signed, sign("sha256", signed, { key: ann.key, dsaEncoding: "ieee-p1363" }));
    expect(reasonOf(bytes)).toBe("malformed");
  });
});

it("clocks that differ by an hour keep no request from its node", () => {
  for (const skew of [-HOUR, HOUR]) expect(reasonOf(signStatement(ann, statement()), { now: instant(NOW + skew) })).toBe("verified");
});

it("while a farm changes its authority, both are believed", async () => {
  const next = await makeTestAuthority(farm.farmId, NOW);
  const both = { ...trust, authorityPem: `${next.authorityPem}${farm.authorityPem}` };
  for (const authority of [farm, next]) {
    expect(reasonOf(signStatement(await authority.issue("admin", "ann"), statement()), { trust: both })).toBe("verified");
  }
  expect(reasonOf(signStatement(ann, statement()), { trust: { ...trust, authorityPem: next.authorityPem } })).toBe("untrusted");
});
