import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import { Secret } from "../../base/index.ts";
import { der } from "../der.ts";
import { writePfx } from "../issue/write-pfx.ts";
import { toBer } from "../testing/ber.ts";
import { Issuing, now, read, type Sample } from "../testing/fixture.ts";
import {
  bag,
  bmpPassword,
  buildPfx,
  certificateBag,
  classicMac,
  contentInfo,
  dataSafe,
  encryptedSafe,
  keyBag,
  pbmac1,
  shroudedKeyBag,
} from "../testing/pfx-builder.ts";

const issuing = new Issuing(true);
let web: Sample;
let mail: Sample;
let root: Uint8Array;

beforeAll(async () => {
  [web, mail] = await Promise.all([issuing.issue({ names: ["www.example.com"] }), issuing.issue({ names: ["mail.example.com"] })]);
  root = await issuing.rootDer();
});

const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8");

describe("the integrity of a PKCS#12 file", () => {
  const safes = (): Uint8Array[] => [dataSafe(certificateBag(web.certificateDer), keyBag(web.pkcs8))];

  test.each([
    ["MD5", "1.2.840.113549.2.5"],
    ["SHA1", "1.3.14.3.2.26"],
    ["SHA224", "2.16.840.1.101.3.4.2.4"],
    ["SHA256", "2.16.840.1.101.3.4.2.1"],
    ["SHA384", "2.16.840.1.101.3.4.2.2"],
    ["SHA512", "2.16.840.1.101.3.4.2.3"],
    ["SHA512/224", "2.16.840.1.101.3.4.2.5"],
    ["SHA512/256", "2.16.840.1.101.3.4.2.6"],
    ["SHA3-256", "2.16.840.1.101.3.4.2.8"],
  ])("is verified with %s, and a wrong password is told as such", async (label, oid) => {
    const file = await buildPfx(safes(), classicMac(bmpPassword("secret"), { oid }));
    expect(await read(file, ["secret"])).toMatchObject({ status: "ok", facts: { protection: [`MAC HMAC-${label} 10 iterations`] } });
    expect(await read(file, ["other"])).toMatchObject({ status: "wrong-password" });
  });

  test("is verified with PBMAC1 and a key of 32 octets", async () => {
    const file = await buildPfx(safes(), pbmac1(utf8("secret"), 32));
    expect(await read(file, ["secret"])).toMatchObject({
      status: "ok",
      facts: { protection: ["PBMAC1 HMAC-SHA256, key HMAC-SHA256 10 iterations"] },
    });
    expect(await read(file, ["other"])).toMatchObject({ status: "wrong-password" });
  });

  test.each([
    ["one octet", 1, /MAC key of 1 octets/],
    ["fifteen octets", 15, /MAC key of 15 octets/],
    ["a length of zero", 0, /MAC key of 0 octets/],
    ["two gigabytes", 2_000_000_000, /MAC key of 2000000000 octets/],
    ["no stated length", undefined, /does not state its key length/],
  ])("is not taken from a PBMAC1 key of %s, whatever the password", async (_, length, problem) => {
    const mac = length === 2_000_000_000 ? pbmac1WithLength(length) : pbmac1(utf8("secret"), length);
    const reading = await read(await buildPfx(safes(), mac), ["secret"]);
    expect(reading).toMatchObject({ status: "malformed", problem: expect.stringMatching(problem) as unknown });
    expect(reading.prepared).toBeUndefined();
  });

  /** States a length without deriving it. */
  function pbmac1WithLength(length: number) {
    return async (content: Uint8Array): Promise<Uint8Array> => {
      const made = Buffer.from(await pbmac1(utf8("secret"), 32)(content));
      const stated = Buffer.from(der.integer(32));
      const wanted = Buffer.from(der.integer(length));
      const at = made.indexOf(stated);
      // The lengths around it grow by the difference; they are all short forms up to the outermost ones.
      const grown = Buffer.concat([made.subarray(0, at), wanted, made.subarray(at + stated.length)]);
      return repairLengths(grown, at, wanted.length - stated.length);
    };
  }

  function repairLengths(bytes: Buffer, upTo: number, difference: number): Buffer {
    for (let at = 0; at < upTo;) {
      const length = bytes[at + 1] ?? 0;
      const isLong = length === 0x81;
      const end = at + (isLong ? 3 + (bytes[at + 2] ?? 0) : 2 + length);
      const isAround = bytes[at] === 0x30 && end > upTo;
      if (isAround) bytes[at + (isLong ? 2 : 1)] = (bytes[at + (isLong ? 2 : 1)] ?? 0) + difference;
      at = isAround ? at + (isLong ? 3 : 2) : end;
    }
    return bytes;
  }

  test("is not taken from a MAC value that was cut short", async () => {
    const file = await buildPfx(safes(), classicMac(bmpPassword("secret"), { cut: 1 }));
    expect(await read(file, ["secret"])).toMatchObject({ status: "malformed", problem: expect.stringContaining("1 octets") as unknown });
  });

  test("vouches for content: damage under a right MAC is malformed, not a wrong password", async () => {
    const damaged = shroudedKeyBag(web.pkcs8, utf8("secret"));
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
    const file = await buildPfx([dataSafe(certificateBag(web.certificateDer), damaged)], classicMac(bmpPassword("secret")));
    expect(await read(file, ["secret"])).toMatchObject({
      status: "malformed",
      problem: expect.stringContaining("MAC is right") as unknown,
    });
  });

  test("is told as missing when there is no MAC", async () => {
    expect(await read(await buildPfx(safes()))).toMatchObject({ status: "ok", facts: { protection: ["no MAC"] } });
  });

  test.each([
    ["signedData", "1.2.840.113549.1.7.2", /signedData \(public-key integrity mode\)/],
    ["an unknown type", "1.2.3.4", /content type 1\.2\.3\.4/],
  ])("by %s is named as not supported", async (_, type, problem) => {
    const file = der.sequence(der.integer(3), contentInfo(type, der.sequence(der.integer(1))));
    expect(await read(file, ["x"])).toMatchObject({ status: "unsupported-algorithm", problem: expect.stringMatching(problem) as unknown });
  });

  test("by a hash that is not read is named", async () => {
    const info = der.sequence(der.sequence(der.oid("1.2.643.7.1.1.2.2"), der.null()), der.octets(new Uint8Array(32)));
    const file = await buildPfx(safes(), () => Promise.resolve(der.sequence(info, der.octets(new Uint8Array(8)), der.integer(1))));
    expect(await read(file)).toMatchObject({
      status: "unsupported-algorithm",
      problem: expect.stringContaining("GOST R 34.11-2012") as unknown,
    });
  });
});

describe("the passwords of a PKCS#12 file", () => {
  const file = (mac: Uint8Array, safe: Uint8Array): Promise<Uint8Array> =>
    buildPfx([encryptedSafe(safe, [certificateBag(web.certificateDer)]), dataSafe(shroudedKeyBag(web.pkcs8, safe))], classicMac(mac));

  const text = "pä€ß☃😀";
  const noBytes = new Uint8Array(0);
  const wide = (bytes: Uint8Array): Uint8Array => bmpPassword(Buffer.from(bytes).toString("latin1"));
  test.each<[string, string[], Uint8Array, Uint8Array]>([
    ["an absent password is found without being given", [], noBytes, noBytes],
    ["an empty password is found without being given", [], new Uint8Array(2), noBytes],
    ["an empty password is found among others", ["a", "b"], new Uint8Array(2), noBytes],
    ["a password that was given as empty opens a file with an absent one", [""], noBytes, noBytes],
    ["the right one of several is found", ["a", "secret", "b"], bmpPassword("secret"), utf8("secret")],
    ["one for the MAC and another for the content are found", ["mac", "content"], bmpPassword("mac"), utf8("content")],
    ["letters beyond ASCII are UTF-16 for the MAC and UTF-8 for PBES2", [text], bmpPassword(text), utf8(text)],
    ["UTF-8 octets taken for characters by an old OpenSSL are found", [text], wide(utf8(text)), utf8(text)],
    ["Latin-1 octets given to PBES2 are found", ["pässe"], bmpPassword("pässe"), Buffer.from("pässe", "latin1")],
    ["a BMPString given to PBES2 by an old NSS is found", [text], bmpPassword(text), bmpPassword(text)],
    ["a BMPString without its NUL is found", ["secret"], bmpPassword("secret").subarray(0, -2), utf8("secret")],
    ["composed letters find a password of decomposed ones", ["p\u00e4sse"], bmpPassword("pa\u0308sse"), utf8("pa\u0308sse")],
  ])("%s", async (_, passwords, mac, safe) => {
    expect(await read(await file(mac, safe), passwords)).toMatchObject({ status: "ok", facts: { keyMatches: true } });
  });

  test("that nobody gave go on being used once they verified the MAC, even where the budget is short", async () => {
    const costly = await buildPfx(
      [encryptedSafe(noBytes, [certificateBag(web.certificateDer)], { iterations: 600 }), dataSafe(shroudedKeyBag(web.pkcs8, noBytes))],
      classicMac(new Uint8Array(2), { iterations: 600 }),
    );
    expect(await read(costly, ["a", "b"], { limits: { maxIterations: 2000 } })).toMatchObject({ status: "ok" });
  });

  test("that is wrong is told with what was tried, never the password itself", async () => {
    const bytes = await file(bmpPassword("secret"), utf8("secret"));
    const one = await read(bytes, ["hunter2"]);
    expect(one).toMatchObject({ status: "wrong-password", remedy: expect.stringContaining("password") as unknown });
    expect(one.problem).toContain("the given password");
    expect((await read(bytes, ["hunter2", "hunter3"])).problem).toContain("any of the 2 given passwords");
    expect((await read(bytes)).problem).toContain("no other was given");
    expect(JSON.stringify(one)).not.toContain("hunter2");
  });
});

describe("the content of a PKCS#12 file", () => {
  const open = async (...bags: readonly Uint8Array[]) => await read(await buildPfx([dataSafe(...bags)]));

  test("in BER with indefinite lengths and cut octets is read like DER", async () => {
    const password = new Secret("secret");
    for (const profile of ["windows-2012", "modern", "no-mac"] as const) {
      const bytes = await writePfx(web, { password, profile });
      for (const piece of [1, 100, 1000]) {
        const reading = await read(toBer(bytes, piece), ["secret"]);
        expect(reading.status).toBe("ok");
        expect(reading.prepared?.keyPem.reveal()).toBe(web.keyPem.reveal());
      }
    }
  });

  test("may be nested in safe bags", async () => {
    const nested = bag("1.2.840.113549.1.12.10.1.6", der.sequence(bag("1.2.840.113549.1.12.10.1.6", der.sequence(keyBag(web.pkcs8)))));
    expect(await open(nested, certificateBag(web.certificateDer))).toMatchObject({ status: "ok" });
  });

  test("passes over revocation lists, secrets, SDSI certificates and unknown bags, and says so", async () => {
    const sdsi = bag("1.2.840.113549.1.12.10.1.3", der.sequence(der.oid("1.2.840.113549.1.9.22.2"), der.context(0, der.octets(utf8("x")))));
    const strange = ["4", "5", "99"].map((last) => bag(`1.2.840.113549.1.12.10.1.${last}`, der.octets(utf8("x"))));
    const reading = await open(sdsi, ...strange, certificateBag(web.certificateDer), keyBag(web.pkcs8));
    expect(reading.status).toBe("ok");
    expect(reading.facts?.warnings).toEqual(
      expect.arrayContaining([
        expect.stringContaining("SDSI"),
        expect.stringContaining("revocation list"),
        expect.stringContaining("secret"),
        expect.stringContaining("unknown type 1.2.840.113549.1.12.10.1.99"),
      ]),
    );
  });

  test("that is enveloped for a recipient is named as not supported", async () => {
    const file = await buildPfx([contentInfo("1.2.840.113549.1.7.3", der.sequence(der.integer(0)))]);
    expect(await read(file)).toMatchObject({
      status: "unsupported-algorithm",
      problem: expect.stringContaining("envelopedData") as unknown,
    });
  });

  test("gives the pair that matches by public key, whatever the local key identifiers say", async () => {
    const reading = await open(
      certificateBag(mail.certificateDer, { localKeyId: "01" }),
      certificateBag(web.certificateDer, { localKeyId: "02", friendlyName: "web" }),
      keyBag(web.pkcs8, { localKeyId: "01" }),
    );
    expect(reading).toMatchObject({
      status: "ok",
      facts: { friendlyName: "web", leaf: { dnsNames: ["www.example.com"] }, unusedCertificates: 1, unusedKeys: 0 },
    });
  });

  test("with several pairs gives the one that lasts longest, and counts the rest", async () => {
    const longer = await issuing.issue({ names: ["long.example.com"], notAfter: (now + 400 * 86_400_000) as typeof now });
    const bags = [web, longer, mail].flatMap((each) => [keyBag(each.pkcs8), certificateBag(each.certificateDer)]);
    expect(await open(...bags)).toMatchObject({
      status: "ok",
      facts: { leaf: { dnsNames: ["long.example.com"] }, unusedCertificates: 2, unusedKeys: 2 },
    });
  });

  test("with the chain in any order gives it leaf first, and leaves the root out of what is sent", async () => {
    const issuers = web.issuers.map((each) => certificateBag(each));
    const reading = await open(certificateBag(root), ...issuers, certificateBag(web.certificateDer), keyBag(web.pkcs8));
    expect(reading.facts?.chain.map((each) => each.subject)).toEqual(["CN=www.example.com", "CN=Test CA Intermediate", "CN=Test CA"]);
    expect(reading).toMatchObject({ status: "ok", facts: { chainEnds: "to-root", unusedCertificates: 0 } });
    expect(reading.prepared?.chainPem).toBe(web.chainPem);
  });

  test("holding the same certificate and key twice counts them once", async () => {
    const twice = [certificateBag(web.certificateDer), keyBag(web.pkcs8)];
    expect(await open(...twice, ...twice)).toMatchObject({ status: "ok", facts: { unusedCertificates: 0, unusedKeys: 0 } });
  });

  test("that lacks a part is told with the facts of the other", async () => {
    expect(await open(certificateBag(web.certificateDer))).toMatchObject({
      status: "no-key",
      problem: expect.stringContaining("CN=www.example.com") as unknown,
      facts: { keyMatches: false, leaf: { dnsNames: ["www.example.com"] } },
    });
    expect(await open(keyBag(web.pkcs8))).toMatchObject({
      status: "no-certificate",
      problem: expect.stringContaining("no certificate") as unknown,
    });
    expect(await open()).toMatchObject({ status: "no-certificate", problem: expect.stringContaining("neither") as unknown });
    expect(await open(certificateBag(web.certificateDer), keyBag(mail.pkcs8))).toMatchObject({
      status: "key-mismatch",
      facts: { keyMatches: false, unusedKeys: 1 },
    });
  });

  test("that is of another time can still be prepared", async () => {
    const old = await issuing.issue({
      names: ["old.example.com"],
      notBefore: (now - 9e9) as typeof now,
      notAfter: (now - 1e9) as typeof now,
    });
    const early = await issuing.issue({ names: ["new.example.com"], notBefore: (now + 1e9) as typeof now });
    for (const [sample, status] of [
      [old, "expired"],
      [early, "not-yet-valid"],
    ] as const) {
      const reading = await open(certificateBag(sample.certificateDer), keyBag(sample.pkcs8));
      expect(reading).toMatchObject({ status, facts: { keyMatches: true } });
      expect(reading.prepared?.chainPem).toContain("BEGIN CERTIFICATE");
    }
  });
});

describe("a hostile PKCS#12 file", () => {
  const millions = 2_147_483_647;
  const secret = utf8("secret");
  const cases: ReadonlyArray<readonly [string, () => Promise<Uint8Array>, string, RegExp]> = [
    [
      "whose MAC asks for 2^31 iterations",
      () => buildPfx([dataSafe()], classicMac(bmpPassword("secret"), { stated: millions })),
      "too-costly",
      /2147483647/,
    ],
    [
      "whose MAC asks for no iterations",
      () => buildPfx([dataSafe()], classicMac(bmpPassword("secret"), { stated: 0 })),
      "malformed",
      /iteration count/,
    ],
    [
      "whose safe asks for 2^31 iterations",
      () => buildPfx([encryptedSafe(secret, [], { statedIterations: millions })]),
      "too-costly",
      /2147483647/,
    ],
    ["whose iterations have twenty octets", () => buildPfx([dataSafe()], () => Promise.resolve(hugeMac())), "too-costly", /Infinity/],
    [
      "with 100 certificates",
      () => buildPfx([dataSafe(...Array.from({ length: 100 }, () => certificateBag(web.certificateDer)))]),
      "too-costly",
      /more than 64/,
    ],
    [
      "with 30,000 empty bags",
      () => buildPfx([dataSafe(...Array.from({ length: 30_000 }, () => der.sequence()))]),
      "too-costly",
      /ASN\.1 values/,
    ],
    ["nested 100 deep", () => Promise.resolve(nested(100)), "too-costly", /nested deeper than 32/],
    ["nested 100,000 deep", () => Promise.resolve(nested(100_000)), "too-costly", /nested deeper than 32/],
    [
      "nested 100,000 deep with indefinite lengths",
      () => Promise.resolve(Buffer.alloc(200_000, Buffer.of(0x30, 0x80))),
      "too-costly",
      /nested deeper/,
    ],
    [
      "that claims four gigabytes",
      () => Promise.resolve(Buffer.from("3084ffffffff020103", "hex")),
      "malformed",
      /claims 4294967295 octets/,
    ],
    [
      "with a length of 100 octets",
      () => Promise.resolve(Buffer.concat([Buffer.of(0x30, 0xe4), Buffer.alloc(100, 1)])),
      "malformed",
      /length of 100 octets/,
    ],
    [
      "of version 4",
      () => Promise.resolve(der.sequence(der.integer(4), contentInfo("1.2.840.113549.1.7.1", der.octets(der.sequence())))),
      "malformed",
      /version is 4/,
    ],
    ["of 2 MiB", () => Promise.resolve(Buffer.alloc(2 * 1024 * 1024, 0x30)), "too-costly", /2097152 octets/],
  ];

  const hugeMac = (): Uint8Array => {
    const info = der.sequence(der.sequence(der.oid("1.3.14.3.2.26"), der.null()), der.octets(new Uint8Array(20)));
    return der.sequence(info, der.octets(new Uint8Array(8)), Buffer.concat([Buffer.of(2, 20), Buffer.alloc(20, 0x7f)]));
  };
  const nested = (depth: number): Uint8Array => {
    const heads: Buffer[] = [];
    let length = 0;
    for (let level = 0; level < depth; level++) {
      const head = Buffer.of(0x30, 0x84, 0, 0, 0, 0);
      head.writeUInt32BE(length, 2);
      heads.push(head);
      length += 6;
    }
    return Buffer.concat(heads.reverse());
  };

  test.each(cases)("%s is refused quickly", async (_, make, status, problem) => {
    const bytes = await make();
    const started = performance.now();
    const reading = await read(bytes, ["secret"]);
    expect(performance.now() - started).toBeLessThan(5000);
    expect(reading).toMatchObject({ status, problem: expect.stringMatching(problem) as unknown });
    expect(reading.prepared).toBeUndefined();
    expect(reading.remedy).toBeTruthy();
  });

  test("with safes that ask for too much together is refused before the one that goes too far", async () => {
    const safes = Array.from({ length: 5 }, () => encryptedSafe(secret, [], { iterations: 3000 }));
    const reading = await read(await buildPfx(safes), ["secret"], { limits: { maxIterations: 10_000 } });
    expect(reading).toMatchObject({ status: "too-costly", problem: expect.stringContaining("12000 for one password") as unknown });
  });

  test("is refused by tighter limits of the caller", async () => {
    const bytes = await writePfx(web, { password: new Secret("secret"), profile: "modern" });
    for (const [limits, problem] of [
      [{ maxBytes: 100 }, /limit is 100/],
      [{ maxIterations: 4095 }, /limit is 4095/],
      [{ maxDepth: 3 }, /deeper than 3/],
      [{ maxItems: 1 }, /more than 1/],
    ] as const) {
      expect(await read(bytes, ["secret"], { limits })).toMatchObject({
        status: "too-costly",
        problem: expect.stringMatching(problem) as unknown,
      });
    }
  });
});

describe("a damaged PKCS#12 file", () => {
  test("never throws and never opens with another key, wherever it is cut", async () => {
    const files = [
      await buildPfx([dataSafe(certificateBag(web.certificateDer), keyBag(web.pkcs8))], classicMac(bmpPassword("s"))),
      await buildPfx([dataSafe(certificateBag(web.certificateDer), keyBag(web.pkcs8))]),
    ];
    for (const file of files) {
      for (let end = 0; end < file.length; end++) expect((await read(file.subarray(0, end), ["s"])).status).not.toBe("ok");
    }
  });

  test("never throws and never opens with another key, whichever bits are flipped", async () => {
    const plain = await buildPfx([dataSafe(certificateBag(web.certificateDer), keyBag(web.pkcs8))]);
    const sealed = await buildPfx(
      [encryptedSafe(utf8("s"), [certificateBag(web.certificateDer)]), dataSafe(shroudedKeyBag(web.pkcs8, utf8("s")))],
      classicMac(bmpPassword("s")),
    );
    const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(plain, sealed), flips, async (file, changes) => {
        const changed = Buffer.from(file);
        for (const [at, mask] of changes) changed[at % changed.length] = (changed[at % changed.length] ?? 0) ^ mask;
        const reading = await read(changed, ["s"], { limits: { maxIterations: 5000 } });
        if (reading.status === "ok") expect(reading.prepared?.keyPem.reveal()).toBe(web.keyPem.reveal());
        else expect(reading.problem).toBeTruthy();
      }),
      { numRuns: 400 },
    );
  });
});
