import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { parseHostName, parseHostPattern, patternCovers, requireHostName, toUnicodeHost, wildcardOf } from "./host-name.ts";

const host = (text: string) => parseHostName(text) ?? expect.fail(`${text} is no host name`);
const pattern = (text: string) => parseHostPattern(text) ?? expect.fail(`${text} is no pattern`);

describe("host names in normal form", () => {
  test.each([
    ["www.example.com", "www.example.com"],
    ["WWW.EXAMPLE.Com", "www.example.com"],
    ["www.example.com.", "www.example.com"],
    ["localhost", "localhost"],
    ["_acme-challenge.example.com", "_acme-challenge.example.com"],
    ["1.example.com", "1.example.com"],
    ["4.3.2.1.example", "4.3.2.1.example"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["BÜCHER.example", "xn--bcher-kva.example"],
    ["bu\u0308cher.example", "xn--bcher-kva.example"],
    ["XN--BCHER-KVA.example", "xn--bcher-kva.example"],
    ["мороженое.рф", "xn--e1aabxhdadn.xn--p1ai"],
    ["例え。テスト", "xn--r8jz45g.xn--zckzah"],
    [`${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
    [`${"a.".repeat(126)}a`, `${"a.".repeat(126)}a`],
    [`${"a.".repeat(126)}a.`, `${"a.".repeat(126)}a`],
  ])("%s is %s", (text, expected) => {
    expect(parseHostName(text)).toBe(expected);
  });

  test.each([
    ["nothing", ""],
    ["a dot", "."],
    ["two trailing dots", "example.com.."],
    ["a leading dot", ".example.com"],
    ["an empty label", "www..example.com"],
    ["a label of 64", `${"a".repeat(64)}.example`],
    ["254 characters", `${"a.".repeat(126)}ab`],
    ["300 characters", "a".repeat(300)],
    ["a label that starts with a hyphen", "-a.example"],
    ["a label that ends with a hyphen", "a-.example"],
    ["a wildcard", "*.example.com"],
    ["a climbing path", "../../x"],
    ["a slash", "a/b.example"],
    ["a backslash", "a\\b.example"],
    ["NUL", "a\0.example"],
    ["a line break", "a\n.example"],
    ["a line break at the end", "example.com\n"],
    ["an escape", "\u001b[1m.example"],
    ["a blank", "a b.example"],
    ["a no-break space", "a\u00a0b.example"],
    ["a zero-width joiner", "a\u200db.example"],
    ["a right-to-left override", "a\u202eb.example"],
    ["a percent escape", "a%2eb.example"],
    ["a port", "example.com:443"],
    ["a user", "a@example.com"],
    ["a letter that becomes a/c", "\u2100.example"],
    ["a full-width slash", "a\uff0fb.example"],
    ["a lone surrogate", "a\ud800.example"],
    ["an IPv4 address", "192.0.2.1"],
    ["an IPv4 address in full-width digits", "\uff11\uff19\uff12.0.2.1"],
    ["an IPv4 address of two parts", "127.1"],
    ["an IPv4 address as one number", "2130706433"],
    ["an IPv4 address in hexadecimal", "0x7f.0.0.0x1"],
    ["a top-level domain that is a number", "example.123"],
    ["an IPv6 address", "2001:db8::1"],
    ["an IPv6 address in brackets", "[::1]"],
  ])("%s is none", (_, text) => {
    expect(parseHostName(text)).toBeUndefined();
  });

  it("are what every accepted text becomes, whatever it is", () => {
    let accepted = 0;
    const text = fc.oneof(fc.domain(), fc.string({ unit: "grapheme", maxLength: 12 }), fc.string({ unit: "binary", maxLength: 12 }));
    fc.assert(
      fc.property(text, (value) => {
        const parsed = parseHostName(value);
        if (parsed === undefined) return;
        accepted++;
        expect(parsed).toMatch(/^(?!.*\.\.)[a-z0-9_][a-z0-9._-]{0,252}$/);
        expect(parseHostName(parsed)).toBe(parsed);
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it("are required with an error that shows what was given, cut and escaped", () => {
    expect(requireHostName("A.example")).toBe("a.example");
    expect(() => requireHostName("a\nb")).toThrow(
      expect.objectContaining({ code: "HOST_NAME_INVALID", message: '"a\\nb" is not a host name' }),
    );
    expect(() => requireHostName("x".repeat(5000))).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{1,330}$/) }));
  });
});

describe("patterns", () => {
  test.each([
    ["*.Example.com.", "*.example.com"],
    ["*.bücher.example", "*.xn--bcher-kva.example"],
    ["www.example.com", "www.example.com"],
    ["*", undefined],
    ["*.", undefined],
    ["**.example.com", undefined],
    ["*.*.example.com", undefined],
    ["a*.example.com", undefined],
    ["www.*.com", undefined],
    ["*.10.0.0.1", undefined],
  ])("%s is %s", (text, expected) => {
    expect(parseHostPattern(text)).toBe(expected);
  });

  test.each([
    ["www.example.com", "www.example.com", true],
    ["*.example.com", "www.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "a.www.example.com", false],
    ["*.example.com", "www.example.org", false],
    ["example.com", "www.example.com", false],
    ["*.com", "example.com", true],
  ])("%s covers %s: %s", (text, name, expected) => {
    expect(patternCovers(pattern(text), host(name))).toBe(expected);
  });

  it("of a host replace its left-most label", () => {
    expect(wildcardOf(host("www.example.com"))).toBe("*.example.com");
    expect(wildcardOf(host("localhost"))).toBeUndefined();
  });
});

describe("names for people", () => {
  test.each([
    ["xn--bcher-kva.example", "bücher.example"],
    ["*.xn--bcher-kva.example", "*.bücher.example"],
    ["www.example.com", "www.example.com"],
    ["xn--a.example", "xn--a.example"],
    ["*.xn--a.example", "*.xn--a.example"],
  ])("%s is shown as %s", (text, expected) => {
    expect(toUnicodeHost(pattern(text))).toBe(expected);
  });
});
