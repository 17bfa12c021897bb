import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { canonicalKeyName, canonicalStem, parseFileName, suggestedFileName } from "./certificate-file-name.ts";
import { parseHostPattern } from "../base/index.ts";

describe("a file's name", () => {
  test.each([
    ["a host is named as it is", "www.example.com.pfx", "www.example.com", "pfx", undefined],
    ["a leading underscore is the wildcard", "_.example.com.pfx", "*.example.com", "pfx", undefined],
    [".p12 is taken", "www.example.com.p12", "www.example.com", "p12", undefined],
    [".pem is taken", "www.example.com.pem", "www.example.com", "pem", undefined],
    [".cer is a .crt", "www.example.com.cer", "www.example.com", "crt", undefined],
    ["case does not matter", "WWW.Example.COM.PFX", "www.example.com", "pfx", undefined],
    ["an RSA certificate beside an ECDSA one", "www.example.com.rsa.pfx", "www.example.com", "pfx", "rsa"],
    ["an ECDSA certificate beside an RSA one", "_.example.com.ECDSA.pem", "*.example.com", "pem", "ecdsa"],
    ["only the part right before the extension is a key type", "rsa.ecdsa.example.pfx", "rsa.ecdsa.example", "pfx", undefined],
    ["a key type is stripped once", "x.rsa.rsa.pfx", "x.rsa", "pfx", "rsa"],
    ["Unicode, composed", "b\u00fccher.example.pfx", "xn--bcher-kva.example", "pfx", undefined],
    ["Unicode, decomposed", "bu\u0308cher.example.pfx", "xn--bcher-kva.example", "pfx", undefined],
    ["A-labels", "xn--bcher-kva.example.pfx", "xn--bcher-kva.example", "pfx", undefined],
    ["a single label is a host", "localhost.pem", "localhost", "pem", undefined],
    ["an underscore inside a label is part of it", "_dmarc.example.com.pfx", "_dmarc.example.com", "pfx", undefined],
  ])("%s: %s", (_name, file, pattern, format, hint) => {
    expect(parseFileName(file)).toMatchObject({ file, pattern, format });
    expect(parseFileName(file)?.keyTypeHint).toBe(hint);
  });

  test.each([
    ["the default of other tools", "default.pfx"],
    ["win-acme's set of all names", "www.example.com-all,x.pfx"],
    ["a leading hyphen", "-all.pfx"],
    ["an asterisk", "*.example.com.pfx"],
    ["a wildcard that is not left-most", "www._.example.com.pfx"],
    ["two wildcards", "_._.example.com.pfx"],
    ["an address", "192.0.2.1.pfx"],
    ["a space", "www.example.com (copy).pfx"],
    ["nothing", ".pfx"],
    ["only a wildcard", "_.pfx"],
    ["a trailing dot", "www.example.com..pfx"],
    ["a label of 64 characters", `${"a".repeat(64)}.example.pfx`],
  ])("%s serves nobody, and it is said why: %s", (_name, file) => {
    const parsed = parseFileName(file);
    expect(parsed?.pattern).toBeUndefined();
    expect(parsed?.problem).toMatch(/\S/);
    expect(parsed?.remedy).toMatch(/Rename/);
  });

  it.each(["readme.txt", "www.example.com", "www.example.com.key", "www.example.com.pfx.bak", "pfx", ""])(
    "%j is no certificate file",
    (file) => {
      expect(parseFileName(file)).toBeUndefined();
    },
  );

  it("of a key file has the stem of its certificate", () => {
    expect(canonicalKeyName("WWW.Example.com.rsa.KEY")).toBe("www.example.com.rsa.key");
    expect(canonicalKeyName("www.example.com.pem")).toBeUndefined();
  });

  it("leads back to the pattern it was made from", () => {
    const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 2, maxLength: 4 }), fc.boolean(), (labels, wild) => {
        const pattern = parseHostPattern(`${wild ? "*." : ""}${labels.join(".")}`);
        fc.pre(pattern !== undefined && !/\.(rsa|ecdsa)$/.test(pattern));
        if (pattern === undefined) return;
        expect(parseFileName(`${canonicalStem(pattern)}.pfx`)?.pattern).toBe(pattern);
        expect(parseFileName(suggestedFileName(pattern, "pem"))?.pattern).toBe(pattern);
      }),
    );
  });

  // fast-check's own binary strings take seconds to set up.
  const anyText = fc.array(fc.nat({ max: 0x10ffff }), { maxLength: 40 }).map((points) => String.fromCodePoint(...points));
  it("never throws, and its canonical form is a fixed point", () => {
    fc.assert(
      fc.property(anyText, fc.constantFrom(".pfx", ".key", ".PEM", ""), (stem, extension) => {
        const canonical = parseFileName(stem + extension)?.canonical;
        if (canonical !== undefined) expect(parseFileName(canonical)?.canonical).toBe(canonical);
      }),
    );
  });
});
