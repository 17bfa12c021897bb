import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { parseEndpoint, parseIpAddress, type Endpoint, type IpAddress } from "../base/index.ts";
import { MAX_PROXY_HEADER_BYTES, parseProxyHeader, proxyHeader } from "./proxy-header.ts";

const endpoint = (text: string): Endpoint => parseEndpoint(text) as Endpoint; // tests name valid ones only
const text = (line: string): Uint8Array => Buffer.from(line, "latin1");
const SIGNATURE = "0d0a0d0a000d0a515549540a";
const hex = (digits: string): Uint8Array => Buffer.from(digits.replaceAll(" ", ""), "hex");

describe("parseProxyHeader reads version 1", () => {
  it("names both ends of a TCP4 line and leaves the client's octets", () => {
    const line = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
    expect(parseProxyHeader(text(`${line}GET /`))).toEqual({
      kind: "header",
      source: endpoint("192.0.2.7:56324"),
      destination: endpoint("198.51.100.1:443"),
      local: false,
      length: line.length,
    });
  });
  it("names both ends of a TCP6 line in canonical form", () => {
    expect(parseProxyHeader(text("PROXY TCP6 2001:DB8:0::7 ::1 1 65535\r\n"))).toMatchObject({
      source: endpoint("[2001:db8::7]:1"),
      destination: endpoint("[::1]:65535"),
    });
  });
  it("takes UNKNOWN without addresses, whatever follows on the line", () => {
    expect(parseProxyHeader(text("PROXY UNKNOWN ffff:: x y\r\nrest"))).toEqual({ kind: "header", local: false, length: 26 });
  });
  test.each([
    ["a line without an end within 107 octets", `PROXY TCP4 ${"1".repeat(120)}`],
    ["a line that ends with a bare newline", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"],
    ["an IPv6 address in a TCP4 line", "PROXY TCP4 ::1 ::1 1 2\r\n"],
    ["an IPv4 address in a TCP6 line", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"],
    ["a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"],
    ["brackets", "PROXY TCP6 [::1] [::1] 1 2\r\n"],
    ["a leading zero in an octet", "PROXY TCP4 1.2.3.04 1.2.3.4 1 2\r\n"],
    ["a leading zero in a port", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"],
    ["a port over 65535", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"],
    ["a negative port", "PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n"],
    ["two spaces", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"],
    ["a missing port", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"],
    ["a word too many", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"],
    ["another family", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"],
    ["nothing after PROXY", "PROXY \r\n"],
  ])("refuses %s", (_name, line) => {
    expect(parseProxyHeader(text(line)).kind).toBe("malformed");
  });
});

describe("parseProxyHeader reads version 2", () => {
  it("names both ends of an IPv4 header", () => {
    expect(parseProxyHeader(hex(`${SIGNATURE} 21 11 000c c0000207 c6336401 dc04 01bb 160301`))).toEqual({
      kind: "header",
      source: endpoint("192.0.2.7:56324"),
      destination: endpoint("198.51.100.1:443"),
      local: false,
      length: 28,
    });
  });
  it("takes LOCAL with whatever it carries", () => {
    expect(parseProxyHeader(hex(`${SIGNATURE} 20 f7 0003 010203`))).toEqual({ kind: "header", local: true, length: 19 });
  });
  it("takes UNSPEC and UNIX without addresses", () => {
    expect(parseProxyHeader(hex(`${SIGNATURE} 21 00 0000`))).toEqual({ kind: "header", local: false, length: 16 });
    expect(parseProxyHeader(hex(`${SIGNATURE} 21 31 00d8 ${"00".repeat(216)}`))).toEqual({ kind: "header", local: false, length: 232 });
  });
  it("skips TLVs it does not know", () => {
    const reading = parseProxyHeader(hex(`${SIGNATURE} 21 11 0011 c0000207 c6336401 dc04 01bb ea 0002 0102`));
    expect(reading).toMatchObject({ kind: "header", length: 33, source: { port: 56324 } });
  });
  test.each([
    ["version 3", `${SIGNATURE} 31 11 000c c0000207 c6336401 dc04 01bb`],
    ["command 2", `${SIGNATURE} 22 11 000c c0000207 c6336401 dc04 01bb`],
    ["a datagram family", `${SIGNATURE} 21 12 000c c0000207 c6336401 dc04 01bb`],
    ["an unknown family", `${SIGNATURE} 21 41 000c c0000207 c6336401 dc04 01bb`],
    ["addresses cut short", `${SIGNATURE} 21 11 000b c0000207 c6336401 dc04 01`],
    ["IPv4 octets under an IPv6 family", `${SIGNATURE} 21 21 000c c0000207 c6336401 dc04 01bb`],
    ["half a TLV", `${SIGNATURE} 21 11 000e c0000207 c6336401 dc04 01bb 0100`],
    ["a TLV longer than the header", `${SIGNATURE} 21 11 0010 c0000207 c6336401 dc04 01bb 01 0002 00`],
    ["a wrong checksum", `${SIGNATURE} 21 11 0013 c0000207 c6336401 dc04 01bb 03 0004 00000000`],
    ["a checksum of three octets", `${SIGNATURE} 21 11 0012 c0000207 c6336401 dc04 01bb 03 0003 000000`],
    ["a length over the limit, before it has come", `${SIGNATURE} 21 11 ffff`],
  ])("refuses %s", (_name, digits) => {
    expect(parseProxyHeader(hex(digits)).kind).toBe("malformed");
  });
  it("accepts a right checksum", () => {
    const [head, blank] = [`${SIGNATURE} 21 11 0013 c0000207 c6336401 dc04 01bb 03 0004`, "00000000"];
    const digits = castagnoli(hex(head + blank))
      .toString(16)
      .padStart(8, "0");
    expect(parseProxyHeader(hex(head + digits))).toMatchObject({ kind: "header", length: 35 });
  });
});

/** CRC-32C by another road than the code's: most significant bit first over reflected octets. */
function castagnoli(bytes: Uint8Array): number {
  const reflect = (value: bigint, width: number): bigint =>
    BigInt(`0b${value.toString(2).padStart(width, "0").split("").reverse().join("")}`);
  let remainder = 0xffffffffn;
  for (const octet of bytes) {
    remainder ^= reflect(BigInt(octet), 8) << 24n;
    for (let bit = 0; bit < 8; bit++) remainder = ((remainder << 1n) ^ (remainder >> 31n === 1n ? 0x1edc6f41n : 0n)) & 0xffffffffn;
  }
  return Number(reflect(remainder ^ 0xffffffffn, 32));
}

const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => parseIpAddress(text) as IpAddress); // generated valid
const anyEndpoint: fc.Arbitrary<Endpoint> = fc.record({ address, port: fc.integer({ min: 0, max: 65535 }) });

describe("proxyHeader", () => {
  it("is read back as it was written, IPv4 and IPv6 mixed", () => {
    fc.assert(
      fc.property(anyEndpoint, anyEndpoint, fc.uint8Array({ maxLength: 40 }), (source, destination, rest) => {
        const bytes = proxyHeader({ source, destination });
        expect(parseProxyHeader(Buffer.concat([bytes, rest]))).toEqual({
          kind: "header",
          source,
          destination,
          local: false,
          length: bytes.length,
        });
      }),
    );
  });
  it("maps the IPv4 end when the other end is IPv6", () => {
    const bytes = proxyHeader({ source: endpoint("[2001:db8::1]:5"), destination: endpoint("10.0.0.4:443") });
    expect(Buffer.from(bytes).toString("hex")).toBe(
      `${SIGNATURE}2121002420010db8000000000000000000000001${"0".repeat(20)}ffff0a000004000501bb`,
    );
  });
  it("is LOCAL without addresses", () => {
    expect(parseProxyHeader(proxyHeader())).toEqual({ kind: "header", local: true, length: 16 });
  });
});

describe("parseProxyHeader on part of a header", () => {
  test.each([
    ["version 1", text("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n")],
    ["version 2", proxyHeader({ source: endpoint("[2001:db8::1]:5"), destination: endpoint("[::1]:443") })],
  ])("asks for more at every cut of a %s header", (_name, bytes) => {
    for (let cut = 0; cut < bytes.length; cut++) expect(parseProxyHeader(bytes.subarray(0, cut))).toEqual({ kind: "incomplete" });
  });
  it("says none for TLS, HTTP and near misses", () => {
    for (const other of [hex("16030102"), text("GET / HTTP/1.1"), text("PROXIES"), text("\r\n\r\nQUIT")]) {
      expect(parseProxyHeader(other)).toEqual({ kind: "none" });
    }
  });
  it("never throws and never reads past its limit", () => {
    const start = fc.constantFrom(hex(SIGNATURE), text("PROXY "), text(""));
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (head, tail) => {
        const bytes = Buffer.concat([head, tail]);
        const reading = parseProxyHeader(bytes);
        if (reading.kind === "header") expect(reading.length).toBeLessThanOrEqual(Math.min(bytes.length, MAX_PROXY_HEADER_BYTES));
      }),
    );
  });
});
