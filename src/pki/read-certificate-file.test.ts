import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { instant, Secret } from "../base/index.ts";
import { readCertificateFile } from "./read-certificate-file.ts";
import { ToolFolder } from "./testing/tool-folder.ts";
import type { FileInput, FileReading } from "./types.ts";

const folder = new ToolFolder();
const now = instant(Date.now() + 60_000);

const read = (bytes: Uint8Array, password?: string, more: Partial<FileInput> = {}): Promise<FileReading> =>
  readCertificateFile({ bytes, passwords: password === undefined ? [] : [new Secret(password)], now, ...more });

beforeAll(() => {
  folder.openssl(
    "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 -subj /O=Example/CN=www.example.com -addext subjectAltName=DNS:www.example.com",
  );
});

afterAll(() => {
  folder.remove();
});

describe("PKCS#12 as OpenSSL writes it", () => {
  test.each([
    ["with its defaults", ""],
    ["with its legacy defaults (RC2-40 and 3DES)", "-legacy"],
    ["with RC2-128", "-legacy -certpbe PBE-SHA1-RC2-128 -keypbe PBE-SHA1-RC2-128"],
    ["with RC4-128", "-legacy -certpbe PBE-SHA1-RC4-128 -keypbe PBE-SHA1-RC4-128"],
    ["with RC4-40", "-legacy -certpbe PBE-SHA1-RC4-40 -keypbe PBE-SHA1-RC4-40"],
    ["with two-key 3DES", "-legacy -certpbe PBE-SHA1-2DES -keypbe PBE-SHA1-2DES"],
    ["without any protection", "-certpbe NONE -keypbe NONE -nomac"],
  ])("a file %s is opened", async (_, options) => {
    folder.openssl(`pkcs12 -export -in cert.pem -inkey key.pem -out x.p12 -name web -passout pass:secret ${options}`.trimEnd());
    const reading = await read(folder.read("x.p12"), "secret");
    expect(reading).toMatchObject({
      status: "ok",
      facts: { format: "pkcs12", friendlyName: "web", leaf: { dnsNames: ["www.example.com"] } },
    });
  });
});
