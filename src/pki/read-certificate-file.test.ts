import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { now, read } from "./testing/fixture.ts";
import { ToolFolder } from "./testing/tool-folder.ts";

const folder = new ToolFolder();

const KEYS = {
  rsa: "-algorithm RSA -pkeyopt rsa_keygen_bits:2048",
  pss: "-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
  p256: "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
  p384: "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
  p521: "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
  ed25519: "-algorithm ED25519",
  ed448: "-algorithm ED448",
  k1: "-algorithm EC -pkeyopt ec_paramgen_curve:secp256k1",
} as const;

beforeAll(() => {
  for (const [name, options] of Object.entries(KEYS)) {
    folder.openssl(`genpkey ${options} -out ${name}.key`);
    folder.openssl(
      `req -x509 -key ${name}.key -out ${name}.crt -days 30 -subj /O=Example/CN=${name}.example.com -addext subjectAltName=DNS:${name}.example.com`,
    );
  }
}, 60_000);

afterAll(() => {
  folder.remove();
});

const joined = (...names: readonly string[]): Buffer => Buffer.concat(names.map((name) => folder.read(name)));

describe("a PEM or DER file", () => {
  test.each([
    ["rsa", "RSA 2048", "rsa"],
    ["pss", "RSASSA-PSS 2048", "rsa"],
    ["p256", "P-256", "ecdsa"],
    ["p384", "P-384", "ecdsa"],
    ["p521", "P-521", "ecdsa"],
    ["ed25519", "Ed25519", "ed25519"],
  ])("with a %s key is read, certificate or key first, in one file or two, in PEM or DER", async (name, keyName, keyType) => {
    const [certificate, key] = [`${name}.crt`, `${name}.key`];
    folder.openssl(`x509 -in ${certificate} -outform der -out c.der`);
    folder.openssl(`pkcs8 -topk8 -nocrypt -in ${key} -outform der -out k.der`);
    const expected = {
      status: "ok",
      facts: { format: "pem", leaf: { keyName, keyType, selfSigned: true }, chainEnds: "to-root", refusedBy: [] },
    };
    expect(await read(joined(certificate, key))).toMatchObject(expected);
    expect(await read(joined(key, certificate))).toMatchObject(expected);
    expect(await read(folder.read(certificate), [], { keyBytes: folder.read(key) })).toMatchObject(expected);
    expect(await read(folder.read("c.der"), [], { keyBytes: folder.read("k.der") })).toMatchObject(expected);
    expect(await read(joined("c.der", "k.der"))).toMatchObject(expected);
    expect(await read(folder.read("c.der"), [], { keyBytes: folder.read(key) })).toMatchObject(expected);
  });

  test.each([
    ["ed448", /Ed448/],
    ["k1", /secp256k1/],
  ])("with a %s key is told as not usable by TLS servers", async (name, problem) => {
    expect(await read(joined(`${name}.crt`, `${name}.key`))).toMatchObject({
      status: "unsupported-algorithm",
      problem: expect.stringMatching(problem) as unknown,
      facts: { keyMatches: true },
    });
  });

  test.each([
    ["PKCS#1", "rsa", "rsa -in rsa.key -traditional -out x.key"],
    ["PKCS#1 DER", "rsa", "rsa -in rsa.key -traditional -outform der -out x.key"],
    ["SEC1", "p256", "ec -in p256.key -out x.key"],
    ["SEC1 DER", "p384", "ec -in p384.key -outform der -out x.key"],
  ])("with its key in the form %s is read", async (_, name, command) => {
    folder.openssl(command);
    expect(await read(folder.read(`${name}.crt`), [], { keyBytes: folder.read("x.key") })).toMatchObject({ status: "ok" });
  });

  test("with an EC PARAMETERS block before a SEC1 key is read", async () => {
    folder.openssl("ecparam -name prime256v1 -genkey -out ec.key");
    folder.openssl("req -x509 -key ec.key -out ec.crt -days 30 -subj /CN=ec.example.com");
    expect(folder.read("ec.key").toString()).toContain("EC PARAMETERS");
    expect(await read(joined("ec.key", "ec.crt"))).toMatchObject({ status: "ok", facts: { leaf: { dnsNames: ["ec.example.com"] } } });
  });

  test.each([
    "-v2 aes-128-cbc",
    "-v2 aes-192-cbc",
    "-v2 aes-256-cbc",
    "-v2 des-ede3-cbc",
    "-v2 camellia-256-cbc",
    "-v2 rc2-40-cbc -provider legacy -provider default",
    "-v2 rc2-64-cbc -provider legacy -provider default",
    "-v2 rc2-cbc -provider legacy -provider default",
    "-v2 des-cbc -provider legacy -provider default",
    ...["SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "SHA512-224", "SHA512-256"].map((prf) => `-v2 aes-256-cbc -v2prf hmacWith${prf}`),
    "-scrypt",
    "-v1 PBE-SHA1-3DES",
    "-v1 PBE-SHA1-2DES",
    "-v1 PBE-SHA1-RC2-128 -provider legacy -provider default",
    "-v1 PBE-SHA1-RC2-40 -provider legacy -provider default",
    "-v1 PBE-SHA1-RC4-128 -provider legacy -provider default",
    "-v1 PBE-SHA1-RC4-40 -provider legacy -provider default",
    "-v1 PBE-MD5-DES -provider legacy -provider default",
    "-v1 PBE-SHA1-DES -provider legacy -provider default",
    "-v1 PBE-MD5-RC2-64 -provider legacy -provider default",
    "-v1 PBE-SHA1-RC2-64 -provider legacy -provider default",
  ])("with its key encrypted by `openssl pkcs8 %s` is read with the password only", async (options) => {
    folder.openssl(`pkcs8 -topk8 -in p256.key -out x.key -passout pass:secret ${options}`);
    const file = joined("p256.crt", "x.key");
    expect(await read(file, ["secret"])).toMatchObject({ status: "ok", facts: { protection: [expect.any(String)] } });
    expect(await read(file, ["other"])).toMatchObject({ status: "wrong-password" });
  });

  test.each(["aes128", "aes192", "aes256", "des3", "camellia256", "des -provider legacy -provider default"])(
    "with a traditional key encrypted by -%s is read with the password only",
    async (cipher) => {
      folder.openssl(`rsa -in rsa.key -traditional -out x.key -passout pass:secret -${cipher}`);
      expect(folder.read("x.key").toString()).toContain("Proc-Type: 4,ENCRYPTED");
      const file = joined("x.key", "rsa.crt");
      expect(await read(file, ["secret"])).toMatchObject({ status: "ok" });
      expect(await read(file, ["other"])).toMatchObject({ status: "wrong-password" });
    },
  );

  test("with text dumps, CRLF, a byte order mark or UTF-16 around the blocks is read", async () => {
    const dump = folder.openssl("x509 -in rsa.crt -text");
    const text = `Bag Attributes\n    friendlyName: x\n${dump}\nsome: text\n${folder.read("rsa.key").toString()}`;
    const variants = [text, text.replaceAll("\n", "\r\n"), `\ufeff${text}`, text.replaceAll("\n", "\r")].map((each) => Buffer.from(each));
    variants.push(Buffer.from(`\ufeff${text}`, "utf16le"), Buffer.from(`\ufeff${text}`, "utf16le").swap16(), Buffer.from(`0${text}`));
    for (const variant of variants) expect(await read(variant)).toMatchObject({ status: "ok" });
  });

  test("in OpenSSL's trusted form is read without its trust settings", async () => {
    folder.openssl("x509 -in rsa.crt -trustout -addtrust serverAuth -out trusted.crt");
    expect(await read(joined("trusted.crt", "rsa.key"))).toMatchObject({ status: "ok" });
  });

  test("passes over blocks of other kinds and says so", async () => {
    folder.openssl("req -new -key rsa.key -subj /CN=x -out x.csr");
    expect(await read(joined("x.csr", "rsa.crt", "rsa.key"))).toMatchObject({
      status: "ok",
      facts: { warnings: [expect.stringContaining("CERTIFICATE REQUEST")] },
    });
  });

  test.each<[string, () => Buffer, string, RegExp]>([
    ["of no octets", () => Buffer.alloc(0), "malformed", /empty \(0 octets\)/],
    ["of other text", () => Buffer.from("hello"), "malformed", /neither PKCS#12, PEM nor DER/],
    ["that is a Java key store", () => Buffer.from("feedfeed00000002", "hex"), "unsupported-algorithm", /Java key store/],
    ["without an end line", () => Buffer.from("-----BEGIN CERTIFICATE-----\nMIIB\n"), "malformed", /CERTIFICATE in line 1 has no end/],
    ["with a broken header", () => Buffer.from("x\n-----BEGIN CERT\n"), "malformed", /header in line 2/],
    [
      "that is not base64",
      () => Buffer.from("a\n\n-----BEGIN PRIVATE KEY-----\n(!)\n-----END PRIVATE KEY-----\n"),
      "malformed",
      /PRIVATE KEY in line 3 is not base64/,
    ],
    [
      "with an OpenSSH key",
      () => Buffer.from("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"),
      "unsupported-algorithm",
      /OPENSSH PRIVATE KEY/,
    ],
    ["with 10,000 blocks", () => Buffer.from("-----BEGIN X-----\nAAAA\n-----END X-----\n".repeat(10_000)), "too-costly", /PEM blocks/],
    ["with the key of another certificate", () => joined("rsa.crt", "p256.key"), "key-mismatch", /P-256/],
    ["with a certificate only", () => folder.read("rsa.crt"), "no-key", /without its private key/],
    ["with a key only", () => folder.read("rsa.key"), "no-certificate", /no certificate/],
    ["that is PKCS#7", () => pkcs7(), "unsupported-algorithm", /PKCS#7/],
    ["with a key encrypted by an unknown cipher", () => dekInfo("GOST89"), "unsupported-algorithm", /GOST89/],
    ["with a key encrypted with a short IV", () => dekInfo("AES-128-CBC,00"), "malformed", /IV of 1 octets/],
    ["with an oversized RSA key", () => oversized(), "too-costly", /RSA modulus of/],
  ])("%s is refused with what is wrong", async (_, make, status, problem) => {
    const reading = await read(make(), ["secret"]);
    expect(reading).toMatchObject({ status, problem: expect.stringMatching(problem) as unknown, remedy: expect.any(String) as unknown });
    expect(reading.prepared).toBeUndefined();
  });

  const pkcs7 = (): Buffer => {
    folder.openssl("crl2pkcs7 -nocrl -certfile rsa.crt -outform der -out x.p7b");
    return folder.read("x.p7b");
  };
  const dekInfo = (info: string): Buffer =>
    Buffer.from(
      `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: ${info}\n\nAAAAAAAAAAAAAAAAAAAAAA==\n-----END RSA PRIVATE KEY-----\n`,
    );
  const oversized = (): Buffer => {
    const huge = Buffer.concat([Buffer.from("0282ffff", "hex"), Buffer.alloc(0xffff, 0x55)]);
    const rest = Array.from({ length: 7 }, () => Buffer.from("020101", "hex"));
    const body = Buffer.concat([Buffer.from("020100", "hex"), huge, ...rest]);
    const head = Buffer.from("308400000000", "hex");
    head.writeUInt32BE(body.length, 2);
    return Buffer.concat([
      folder.read("rsa.crt"),
      Buffer.from(`-----BEGIN RSA PRIVATE KEY-----\n${Buffer.concat([head, body]).toString("base64")}\n-----END RSA PRIVATE KEY-----\n`),
    ]);
  };

  test("whose private half is damaged behind an intact public half is malformed, not ok", async () => {
    folder.openssl("ec -in p256.key -outform der -out good.der");
    const key = folder.read("good.der");
    const secretAt = key.indexOf(Buffer.from("0420", "hex")) + 2;
    key[secretAt + 20] = (key[secretAt + 20] ?? 0) ^ 1;
    expect(await read(folder.read("p256.crt"), [], { keyBytes: key })).toMatchObject({ status: "malformed" });
  });

  test("never throws, however it is cut", async () => {
    const file = joined("p256.crt", "p256.key");
    for (let end = 0; end < file.length - 40; end += 3) expect((await read(file.subarray(0, end))).status).not.toBe("ok");
  });

  test("is prepared as PKCS#8 and PEM that OpenSSL takes", async () => {
    const reading = await read(joined("rsa.crt", "rsa.key"));
    folder.write("prepared.key", reading.prepared?.keyPem.reveal() ?? "");
    folder.write("prepared.crt", reading.prepared?.chainPem ?? "");
    expect(folder.openssl("rsa -in prepared.key -check -noout")).toContain("RSA key ok");
    expect(folder.openssl("x509 -in prepared.crt -noout -subject")).toContain("rsa.example.com");
    expect(JSON.stringify(reading)).not.toContain("BEGIN PRIVATE KEY");
  });
});

describe("PKCS#12 as OpenSSL writes it", () => {
  const legacy = ["Windows Server 2012", "Windows Server 2016"];
  test.each<[string, string, readonly string[]]>([
    ["with its defaults", "", legacy],
    ["with its legacy defaults", "-legacy", ["OpenSSL 3 without the legacy provider"]],
    ["with 3DES for all", "-certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1", []],
    ["with two-key 3DES", "-certpbe PBE-SHA1-2DES -keypbe PBE-SHA1-2DES -macalg sha1", []],
    ["with RC2-128", "-legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-128", ["OpenSSL 3 without the legacy provider"]],
    ["with RC4-128", "-legacy -certpbe PBE-SHA1-RC4-128 -keypbe PBE-SHA1-RC4-128", ["OpenSSL 3 without the legacy provider"]],
    ["with RC4-40", "-legacy -certpbe PBE-SHA1-RC4-40 -keypbe PBE-SHA1-RC4-40", ["OpenSSL 3 without the legacy provider"]],
    ["with AES-128", "-certpbe aes-128-cbc -keypbe aes-128-cbc", legacy],
    ["with AES-192", "-certpbe aes-192-cbc -keypbe aes-192-cbc", legacy],
    ["with PBES2 3DES", "-certpbe des-ede3-cbc -keypbe des-ede3-cbc", legacy],
    ["with PBES2 RC2", "-legacy -certpbe rc2-cbc -keypbe rc2-cbc", [...legacy, "OpenSSL 3 without the legacy provider"]],
    ["with a SHA-224 MAC", "-macalg sha224", legacy],
    ["with a SHA-384 MAC", "-macalg sha384", legacy],
    ["with a SHA-512 MAC", "-macalg sha512", legacy],
    ["with 100,000 iterations", "-iter 100000", legacy],
    ["with one iteration", "-iter 1", legacy],
    ["with an unencrypted certificate", "-certpbe NONE", legacy],
    ["without a MAC", "-nomac", legacy],
    ["without any protection", "-certpbe NONE -keypbe NONE -nomac", []],
  ])("a file %s is opened, and its refusing readers are named", async (_, options, refusedBy) => {
    folder.openssl(`pkcs12 -export -in rsa.crt -inkey rsa.key -out x.p12 -name web -passout pass:secret ${options}`.trimEnd());
    const reading = await read(folder.read("x.p12"), ["secret"]);
    expect(reading).toMatchObject({
      status: "ok",
      facts: { format: "pkcs12", friendlyName: "web", leaf: { dnsNames: ["rsa.example.com"] } },
    });
    expect([...(reading.facts?.refusedBy ?? [])].sort()).toEqual([...refusedBy].sort());
  });

  test.each(["pss", "p256", "p384", "p521", "ed25519"])("a file with a %s key is opened", async (name) => {
    folder.openssl(`pkcs12 -export -in ${name}.crt -inkey ${name}.key -out x.p12 -passout pass:`);
    expect(await read(folder.read("x.p12"))).toMatchObject({ status: "ok" });
  });

  test("a file with a cipher that is not read is told by name, never as a wrong password", async () => {
    folder.openssl("pkcs12 -export -in rsa.crt -inkey rsa.key -out x.p12 -passout pass:secret -certpbe aria-256-cbc");
    expect(await read(folder.read("x.p12"), ["secret"])).toMatchObject({
      status: "unsupported-algorithm",
      problem: expect.stringContaining("ARIA-256-CBC") as unknown,
    });
  });
});

describe("PKCS#12 as the JDK's keytool writes it", () => {
  test.each([
    ["with its defaults", []],
    ["in the legacy form", ["-J-Dkeystore.pkcs12.legacy"]],
    [
      "with AES-128, HMAC-SHA384 and a SHA-512 MAC",
      [
        "-J-Dkeystore.pkcs12.certProtectionAlgorithm=PBEWithHmacSHA384AndAES_128",
        "-J-Dkeystore.pkcs12.keyProtectionAlgorithm=PBEWithHmacSHA224AndAES_256",
        "-J-Dkeystore.pkcs12.macAlgorithm=HmacPBESHA512",
      ],
    ],
  ])("%s is opened", async (_, options) => {
    const file = `jdk${options.length}.p12`;
    const pair = ["-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=jdk.example.com", "-alias", "jdk"];
    folder.run("keytool", "-genkeypair", "-keystore", file, "-storetype", "PKCS12", "-storepass", "secret", ...pair, ...options);
    expect(await read(folder.read(file), ["secret"], { now })).toMatchObject({
      status: "ok",
      facts: { friendlyName: "jdk", leaf: { subject: "CN=jdk.example.com", keyName: "P-256" } },
    });
    expect(await read(folder.read(file), ["other"])).toMatchObject({ status: "wrong-password" });
  });
});
