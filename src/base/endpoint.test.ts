import { isIPv4, isIPv6 } from "node:net";

import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { formatEndpoint, ipFamily, parseEndpoint, parseIpAddress, parsePort, requireEndpoint } from "./endpoint.ts";

describe("addresses in canonical form", () => {
  test.each([
    ["10.0.0.4", "10.0.0.4"],
    ["255.255.255.255", "255.255.255.255"],
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"],
    ["::", "::"],
    ["[::1]", "::1"],
    ["fe80::1%eth0", "fe80::1"],
    ["::ffff:10.0.0.4", "10.0.0.4"],
    ["::FFFF:0a00:0004", "10.0.0.4"],
    ["64:ff9b::10.0.0.4", "64:ff9b::a00:4"],
  ])("%s is %s", (text, expected) => {
    expect(parseIpAddress(text)).toBe(expected);
  });

  test.each([
    "",
    "10.0.0",
    "10.0.0.256",
    "010.0.0.4",
    "10.0.0.4.5",
    "0x0a.0.0.4",
    "127.1",
    "10.0.0.4 ",
    "[10.0.0.4]",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "::1]",
    "[::1",
    "::1\n",
    "::1/64",
    "www.example.com",
    "%eth0",
    "１0.0.0.4",
  ])("%j is none", (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it("keep their family and are read back as themselves", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const address = parseIpAddress(text) ?? expect.fail(text);
        expect(ipFamily(address) === 4 ? isIPv4(address) : isIPv6(address)).toBe(true);
        expect(parseIpAddress(address)).toBe(address);
      }),
      { numRuns: 500 },
    );
  });
});

describe("ports", () => {
  test.each([
    ["1", 1],
    ["443", 443],
    ["65535", 65_535],
    ["0", undefined],
    ["65536", undefined],
    ["0443", undefined],
    ["-1", undefined],
    ["4e2", undefined],
    ["443 ", undefined],
    ["", undefined],
    ["99999999999", undefined],
    ["４４３", undefined],
  ])("%j is %s", (text, expected) => {
    expect(parsePort(text)).toBe(expected);
  });
});

describe("endpoints", () => {
  test.each(["10.0.0.4:443", "[2001:db8::4]:443", "[::]:1", "0.0.0.0:65535"])("%s is read and written", (text) => {
    const endpoint = parseEndpoint(text) ?? expect.fail(text);
    expect(formatEndpoint(endpoint)).toBe(text);
  });

  test.each([
    "10.0.0.4",
    "2001:db8::4:443",
    "10.0.0.4:",
    ":443",
    "10.0.0.4:0",
    "www.example.com:443",
    "[::1]",
    "[::1]443",
    "10.0.0.4:443:1",
    "",
  ])("%j is none", (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });

  it("are required with an error that shows what was given, cut", () => {
    expect(requireEndpoint("[::1]:443")).toEqual({ address: "::1", port: 443 });
    const wrong = () => requireEndpoint(`x${"y".repeat(5000)}`);
    expect(wrong).toThrow(
      expect.objectContaining({ code: "ENDPOINT_INVALID", message: expect.stringMatching(/^"xy{99}" is not IP:PORT$/) }),
    );
  });
});
