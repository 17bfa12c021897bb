import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { parseHostPattern, parseIpAddress } from "../base/index.ts";
import { parseRowKey, rowKeyText } from "./row-key.ts";
import type { RowKey } from "./types.ts";

describe("keys as text", () => {
  test.each([
    ["ip:10.0.0.4:443", "ip:10.0.0.4:443"],
    ["ip:[2001:db8::1]:443", "ip:[2001:db8::1]:443"],
    ["IP:[2001:0DB8:0::1]:443", "ip:[2001:db8::1]:443"],
    ["ip:[::ffff:10.0.0.4]:443", "ip:10.0.0.4:443"],
    ["host:www.example.com:443", "host:www.example.com:443"],
    ["host:WWW.Example.com.:443", "host:www.example.com:443"],
    ["host:*.example.com:8443", "host:*.example.com:8443"],
    ["host:bücher.example:443", "host:xn--bcher-kva.example:443"],
    ["central:443", "central:443"],
    ["any:0.0.0.0:443", "any:0.0.0.0:443"],
    ["any:[::]:443", "any:[::]:443"],
    ["ip:0.0.0.0:443", "any:0.0.0.0:443"],
    ["ip:[0:0::0]:443", "any:[::]:443"],
    ["ipport=10.0.0.4:443", "ip:10.0.0.4:443"],
    ["ipport=0.0.0.0:443", "any:0.0.0.0:443"],
    ["ipport=[::]:443", "any:[::]:443"],
    ["hostnameport=www.example.com:443", "host:www.example.com:443"],
    ["hostnameport=*.example.com:443", "host:*.example.com:443"],
    ["hostnameport=*:443", "central:443"],
    ["ccs=443", "central:443"],
    ["  central:1 ", "central:1"],
    ["central:65535", "central:65535"],
  ])("%s is read as %s", (text, expected) => {
    expect(rowKeyText(parseRowKey(text))).toBe(expected);
  });

  test.each([
    ["", "starts with no kind"],
    ["10.0.0.4:443", "starts with no kind"],
    ["ip:10.0.0.4", "is not IP:PORT"],
    ["ip:2001:db8::1:443", "is not IP:PORT"],
    ["ip:10.0.0.256:443", "is not IP:PORT"],
    ["ip:10.0.0.4:0", "is not IP:PORT"],
    ["ip:10.0.0.4:65536", "is not IP:PORT"],
    ["any:10.0.0.4:443", "write ip: for one address"],
    ["host:www.example.com", "port is missing"],
    ["host:10.0.0.4:443", "neither a host name"],
    ["host:*:443", "neither a host name"],
    ["host:a*.example.com:443", "neither a host name"],
    ["host:../x:443", "neither a host name"],
    ["host:www.example.com:https", "not a port from 1 to 65535"],
    ["central:", "not a port from 1 to 65535"],
    ["central:443:1", "not a port from 1 to 65535"],
    ["ccs=70000", "not a port from 1 to 65535"],
    ["scopedccs=www.example.com:443", "not supported"],
    ["constructor", "starts with no kind"],
  ])("%j is refused: %s", (text, problem) => {
    expect(() => parseRowKey(text)).toThrow(
      expect.objectContaining({ code: "BINDING_ROW_INVALID", message: expect.stringContaining(problem) }),
    );
  });

  it("cuts and escapes hostile text in the message", () => {
    const message = (() => {
      try {
        parseRowKey(`\u001b[31m${"x".repeat(10_000)}`);
        return "";
      } catch (error) {
        return String(error);
      }
    })();
    expect(message.length).toBeGreaterThan(0);
    expect(message.length).toBeLessThan(700);
    expect(message).not.toContain("\u001b");
  });

  it("reads back every key that it writes", () => {
    const port = fc.integer({ min: 1, max: 65_535 });
    const key: fc.Arbitrary<RowKey> = fc.oneof(
      fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), port }).chain(({ address, port }) => {
        const parsed = parseIpAddress(address);
        const zero = parsed === undefined || parsed === "0.0.0.0" || parsed === "::";
        return fc.constant<RowKey>(zero ? { kind: "central", port } : { kind: "ip", address: parsed, port });
      }),
      fc.record({ name: fc.domain(), wild: fc.boolean(), port }).chain(({ name, wild, port }) => {
        const host = parseHostPattern(wild ? `*.${name}` : name);
        return fc.constant<RowKey>(host === undefined ? { kind: "central", port } : { kind: "host", host, port });
      }),
      fc.record({ kind: fc.constant("central" as const), port }),
      fc.record({ kind: fc.constant("any" as const), family: fc.constantFrom<4 | 6>(4, 6), port }),
    );
    fc.assert(
      fc.property(key, (value) => {
        expect(parseRowKey(rowKeyText(value))).toEqual(value);
      }),
      { numRuns: 500 },
    );
  });
});
