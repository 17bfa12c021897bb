import { describe, expect, test } from "vitest";

import { instant } from "../base/index.ts";
import { buildChain } from "./chain.ts";
import { issueCertificate } from "./issue/certificate.ts";
import { makeKey, type KeyPair } from "./issue/key-pair.ts";
import { parseCertificate, type ParsedCertificate } from "./pair.ts";
import { now } from "./testing/fixture.ts";

const [a, b, c] = await Promise.all([makeKey("ecdsa"), makeKey("ecdsa"), makeKey("ecdsa")]);

function certificate(subject: string, issuer: string, keys: { key: KeyPair; signer: KeyPair }, days = 10): ParsedCertificate {
  const use = subject.startsWith("www") ? ({ kind: "server", names: [subject] } as const) : ({ kind: "authority", pathLength: 5 } as const);
  const life = { notBefore: instant(now - 1e9), notAfter: instant(now + days * 86_400_000) };
  return parseCertificate({ der: issueCertificate({ subject, issuer, ...keys, ...life, use }) });
}

const subjects = (leaf: ParsedCertificate, others: readonly ParsedCertificate[]): string[] =>
  buildChain(leaf, others, now).path.map((each) => each.facts.subject);

describe("a chain", () => {
  const leaf = certificate("www.example.com", "A", { key: c, signer: a });

  test("of two authorities that certified each other ends", () => {
    const aByB = certificate("A", "B", { key: a, signer: b });
    const bByA = certificate("B", "A", { key: b, signer: a });
    expect(subjects(leaf, [aByB, bByA, leaf])).toEqual(["CN=www.example.com", "CN=A", "CN=B"]);
    expect(buildChain(leaf, [aByB, bByA, leaf], now).ends).toBe("to-intermediate");
  });

  test("takes the issuer that signed, not one that only has its name", () => {
    const impostor = certificate("A", "A", { key: b, signer: b }, 500);
    const real = certificate("A", "A", { key: a, signer: a });
    const { path, ends } = buildChain(leaf, [impostor, real], now);
    expect(path[1]).toBe(real);
    expect(ends).toBe("to-root");
    expect(buildChain(leaf, [impostor], now).ends).toBe("leaf-only");
  });

  test("prefers the issuer's certificate that is valid, then the one that lasts longest", () => {
    const expired = certificate("A", "R", { key: a, signer: b }, -1);
    const short = certificate("A", "R", { key: a, signer: b }, 5);
    const long = certificate("A", "R", { key: a, signer: b }, 50);
    expect(buildChain(leaf, [expired, short, long], now).path[1]).toBe(long);
  });

  test("among a crowd of look-alikes stops checking signatures", () => {
    const crowd = Array.from({ length: 80 }, () => certificate("A", "A", { key: b, signer: b }));
    const started = performance.now();
    expect(buildChain(leaf, crowd, now).ends).toBe("leaf-only");
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
