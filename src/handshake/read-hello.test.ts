import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { readHello } from "./read-hello.ts";
import {
  alpn,
  ascii,
  helloBytes,
  helloMessage,
  joined,
  named,
  octets,
  preSharedKey,
  records,
  serverName,
  u16,
  vector16,
  versions,
  type ExtensionBytes,
} from "./testing/hello-bytes.ts";
import type { ClientHello } from "./types.ts";

function helloOf(bytes: Uint8Array): ClientHello {
  const reading = readHello(bytes);
  if (reading.kind !== "hello") throw new Error(`expected a hello: ${JSON.stringify(reading)}`);
  return reading.hello;
}

const withExtensions = (...extensions: ExtensionBytes[]) => helloBytes({ extensions });

describe("what a ClientHello says", () => {
  it("reads name, versions, ALPN, suites, algorithms and length", () => {
    const message = helloMessage({
      extensions: [
        { type: 0x0a0a, data: octets() },
        named("WWW.Example.com."),
        { type: 13, data: vector16(octets(4, 3, 8, 4)) },
        versions(0x7a7a, 0x0304, 0x0303),
        alpn("h2", "http/1.1"),
        { type: 35, data: octets() },
      ],
    });
    expect(helloOf(records(message))).toEqual({
      serverName: { kind: "name", host: "www.example.com" },
      versions: [0x7a7a, 0x0304, 0x0303],
      alpn: ["h2", "http/1.1"],
      cipherSuites: [0x1301, 0x1302],
      signatureAlgorithms: [0x0403, 0x0804],
      length: message.length,
    });
  });

  it("reads a TLS 1.2 hello without any extensions block", () => {
    const hello = helloOf(helloBytes({ extensions: undefined, legacyVersion: 0x0302 }));
    expect(hello).toMatchObject({ serverName: { kind: "absent" }, versions: [0x0302], alpn: [], signatureAlgorithms: [] });
  });

  it("reads an empty extensions block", () => {
    expect(helloOf(withExtensions()).serverName).toEqual({ kind: "absent" });
  });

  const ticket = Uint8Array.from({ length: 40 }, (_, at) => at);
  test.each([
    ["a TLS 1.2 ticket", [{ type: 35, data: ticket }], ticket.subarray(0, 16)],
    ["the first of two TLS 1.3 identities", [preSharedKey([ticket, ticket.subarray(20)])], ticket.subarray(0, 16)],
    [
      "the TLS 1.3 identity rather than the TLS 1.2 ticket",
      [{ type: 35, data: ticket }, preSharedKey([ticket.subarray(1)])],
      ticket.subarray(1, 17),
    ],
    [
      "the ticket when the identity is too short for a key name",
      [{ type: 35, data: ticket }, preSharedKey([octets(1, 2)])],
      ticket.subarray(0, 16),
    ],
    ["nothing of an identity that is too short", [preSharedKey([octets(1, 2)])], undefined],
    ["nothing of an empty ticket", [{ type: 35, data: octets() }], undefined],
  ] as [string, ExtensionBytes[], Uint8Array | undefined][])("takes as ticket key name %s", (_, extensions, expected) => {
    const name = helloOf(withExtensions(...extensions)).ticketKeyName;
    expect(name === undefined ? undefined : [...name]).toEqual(expected === undefined ? undefined : [...expected]);
  });

  it("looks into the caller's octets at an offset, not into the buffer they are part of", () => {
    const bytes = helloBytes();
    const inside = joined(new Uint8Array(100).fill(255), bytes, new Uint8Array(100).fill(255)).subarray(100, 100 + bytes.length);
    expect(readHello(inside)).toEqual(readHello(bytes));
  });
});

describe("server names", () => {
  const long = `${"a".repeat(60)}.`.repeat(5);
  test.each([
    ["an empty name", ascii(""), "", "empty"],
    ["300 characters", ascii(long.slice(0, 300)), "a".repeat(60), "300 octets"],
    ["a path that climbs", ascii("../../x"), "../../x", "path separator"],
    ["a backslash", ascii("a\\b.example"), "a\\x5cb.example", "path separator"],
    ["NUL", ascii("www.example.com\0.evil.example"), "www.example.com\\x00.evil.example", "control characters"],
    ["a terminal escape", ascii("\x1b[31mred"), "\\x1b[31mred", "control characters"],
    ["a line break", ascii("a\r\nb"), "a\\x0d\\x0ab", "control characters"],
    ["DEL", ascii("a\x7fb"), "a\\x7fb", "control characters"],
    ["raw UTF-8", Uint8Array.from(Buffer.from("bücher.example")), "b\\xc3\\xbccher.example", "outside ASCII"],
    ["an IPv4 address", ascii("192.0.2.1"), "192.0.2.1", "IP address"],
    ["an IPv6 address", ascii("2001:db8::1"), "2001:db8::1", "IP address"],
    ["an IPv6 address in brackets", ascii("[2001:db8::1]"), "[2001:db8::1]", "IP address"],
    ["a port", ascii("www.example.com:443"), "www.example.com:443", "not a DNS host name"],
    ["a percent escape", ascii("www%2eexample.com"), "www%2eexample.com", "not a DNS host name"],
    ["a wildcard", ascii("*.example.com"), "*.example.com", "not a DNS host name"],
    ["two dots in a row", ascii("www..example.com"), "www..example.com", "not a DNS host name"],
    ["a single dot", ascii("."), ".", "not a DNS host name"],
    ["a label of 64 octets", ascii(`${"a".repeat(64)}.example`), `${"a".repeat(64)}.example`, "not a DNS host name"],
    ["a blank", ascii("a b.example"), "a b.example", "not a DNS host name"],
  ])("%s is an invalid name, not a malformed hello", (_, name, shown, problem) => {
    const sent = helloOf(withExtensions(serverName(name))).serverName;
    expect(sent).toMatchObject({ kind: "invalid" });
    if (sent.kind !== "invalid") return;
    expect(sent.shown).toContain(shown);
    expect(sent.problem).toContain(problem);
  });

  it("shows at most 80 characters and an ellipsis, and only printable ASCII", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 600 }), (name) => {
        const sent = helloOf(withExtensions(serverName(name))).serverName;
        if (sent.kind === "invalid") expect(sent.shown).toMatch(/^[ -~]{0,80}…?$/);
        else expect(sent).toEqual({ kind: "name", host: expect.stringMatching(/^[a-z0-9._-]{1,253}$/) });
      }),
      { numRuns: 500 },
    );
  });

  it("refuses two host names as invalid", () => {
    const sent = helloOf(withExtensions(serverName(ascii("a.example"), ascii("b.example")))).serverName;
    expect(sent).toEqual({ kind: "invalid", shown: "a.example, b.example", problem: expect.stringContaining("several host names") });
  });

  it("passes over names of types it does not know", () => {
    const list = joined(octets(7), vector16(ascii("other")), octets(0), vector16(ascii("www.example.com")));
    expect(helloOf(withExtensions({ type: 0, data: vector16(list) })).serverName).toEqual({ kind: "name", host: "www.example.com" });
  });

  it("takes A-labels", () => {
    expect(helloOf(withExtensions(named("XN--bcher-kva.example"))).serverName).toEqual({ kind: "name", host: "xn--bcher-kva.example" });
  });
});

describe("malformed hellos", () => {
  const extension = (type: number, ...data: number[]): ExtensionBytes => ({ type, data: octets(...data) });
  test.each([
    ["octets behind the extensions", helloBytes({ trailing: octets(0) }), "octets follow extensions"],
    ["a session id of 33 octets", helloBytes({ sessionId: new Uint8Array(33) }), "session_id has 33 octets"],
    ["no cipher suites", helloBytes({ cipherSuites: octets() }), "cipher_suites has 0 octets"],
    ["half a cipher suite", helloBytes({ cipherSuites: octets(1, 2, 3) }), "cipher_suites has 3 octets"],
    ["no compression method", helloBytes({ compressions: octets() }), "compression_methods is empty"],
    ["an extension twice", withExtensions(named("a.example"), extension(23), extension(23)), "extension 23 is there twice"],
    ["server_name twice", withExtensions(named("a.example"), named("b.example")), "extension 0 is there twice"],
    ["server_name without a list", withExtensions(extension(0)), "server_name runs past the end"],
    ["an empty list of names", withExtensions(extension(0, 0, 0)), "server_name is an empty list"],
    ["a name longer than its list", withExtensions(extension(0, 0, 4, 0, 0, 9, 97)), "a name runs past the end"],
    [
      "octets behind the list of names",
      withExtensions({ type: 0, data: joined(named("a.example").data, octets(0)) }),
      "octets follow server_name",
    ],
    ["an empty ALPN list", withExtensions(extension(16, 0, 0)), "ALPN is an empty list"],
    ["an empty protocol", withExtensions(extension(16, 0, 1, 0)), "ALPN holds an empty protocol"],
    ["half a version", withExtensions(extension(43, 3, 3, 4, 3)), "supported_versions has 3 octets"],
    ["octets behind supported_versions", withExtensions(extension(43, 2, 3, 4, 0)), "octets follow the content of extension 43"],
    ["no signature algorithms", withExtensions(extension(13, 0, 0)), "signature_algorithms has 0 octets"],
    [
      "pre_shared_key before another extension",
      withExtensions(preSharedKey([new Uint8Array(20)]), extension(23)),
      "not the last extension",
    ],
    ["fewer binders than identities", withExtensions(preSharedKey([octets(1), octets(2)], 1)), "2 identities have 1 binders"],
    ["identities without any", withExtensions(extension(41, 0, 0, 0, 0)), "identities have a wrong length"],
    ["another message first", records(joined(octets(2), helloMessage().subarray(1))), "type 2, not ClientHello"],
    ["a message of more than 64 KiB", records(octets(1, 1, 0, 0)), "the ClientHello has 65540 octets"],
    ["a record of more than 16 KiB", octets(22, 3, 1, 0x40, 1), "a record has 16385 octets"],
    ["an empty record", octets(22, 3, 1, 0, 0), "a handshake record is empty"],
    [
      "an alert inside the message",
      joined(records(helloMessage().subarray(0, 20)), octets(21, 3, 1, 0, 2, 1, 0), new Uint8Array(200)),
      "record of type 21",
    ],
    ["another message in the same record", records(joined(helloMessage(), octets(1, 0, 0, 0))), "octets follow the ClientHello"],
    ["an alert first", octets(21, 3, 1, 0, 2, 2, 40), "starts with a record of type 21"],
    ["application data first", octets(23, 3, 3, 0, 1, 0), "starts with a record of type 23"],
  ])("%s", (_, bytes, problem) => {
    expect(readHello(bytes)).toEqual({ kind: "malformed", problem: expect.stringContaining(problem) });
  });
});

describe("what is not TLS", () => {
  test.each([
    ["GET / HTTP/1.1\r\n", "http"],
    ["POST /x HTTP/1.1\r\n", "http"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http"],
    ["SSH-2.0-OpenSSH_9.6\r\n", "other"],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 5 443\r\n", "other"],
    ["\r\n\r\n\0\r\nQUIT\n", "other"],
    ["get / http", "other"],
  ])("%j looks like %s", (text, looksLike) => {
    expect(readHello(ascii(text))).toEqual({ kind: "not-tls", looksLike });
  });

  it("knows an SSLv2 hello for what it is", () => {
    expect(readHello(octets(0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10))).toEqual({ kind: "not-tls", looksLike: "other" });
  });

  test.each([
    ["G", 4],
    ["GE", 4],
    ["P", 4],
    ["PRO", 9],
    ["OPTIONS", 8],
  ])("waits after %j for %i octets", (text, atLeast) => {
    expect(readHello(ascii(text))).toEqual({ kind: "incomplete", atLeast });
  });
});

describe("hellos in pieces", () => {
  const share: ExtensionBytes = { type: 51, data: vector16(joined(u16(0x6399), vector16(new Uint8Array(9000).fill(5)))) };
  const large = helloMessage({ extensions: [share, named("www.example.com"), versions(0x0304)] });

  test.each([1, 2, 3, 4, 5, 100, 4096])("reads a 9 KiB hello in records of %i octets", (size) => {
    expect(readHello(records(large, size))).toEqual(readHello(records(large)));
  });

  it("does not look at records behind the hello", () => {
    const bytes = joined(helloBytes(), octets(20, 3, 3, 0, 1, 1), new Uint8Array(70_000));
    expect(readHello(bytes)).toEqual(readHello(helloBytes()));
  });

  it("refuses 64 KiB that do not hold the whole message", () => {
    const bytes = records(joined(octets(1, 0, 0xff, 0), new Uint8Array(0xff00)), 8).subarray(0, 65_536);
    expect(readHello(bytes)).toMatchObject({ kind: "malformed", problem: expect.stringContaining("more than 65536 octets") });
  });

  test.each([
    ["one record", records(helloMessage())],
    ["records of one octet", records(helloMessage(), 1)],
    ["records of 7 octets", records(helloMessage(), 7)],
  ])("cut at every octet, %s are incomplete and never promised too late", (_, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      const reading = readHello(bytes.subarray(0, length));
      expect(reading.kind).toBe("incomplete");
      if (reading.kind !== "incomplete") return;
      expect(reading.atLeast).toBeGreaterThan(length);
      expect(reading.atLeast).toBeLessThanOrEqual(bytes.length);
    }
    expect(readHello(bytes).kind).toBe("hello");
  });

  it("needs few looks at a hello that trickles in octet by octet", () => {
    const bytes = records(large, 1);
    let [length, looks] = [0, 0];
    for (;;) {
      const reading = readHello(bytes.subarray(0, length));
      looks++;
      if (reading.kind !== "incomplete") break;
      length = reading.atLeast;
    }
    expect(looks).toBeLessThan(100);
  });
});

describe("hostile octets", () => {
  it("never throw, whatever they are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(["hello", "incomplete", "not-tls", "malformed"]).toContain(readHello(bytes).kind);
      }),
      { numRuns: 2000 },
    );
  });

  it("never throw when a good hello is changed in some places", () => {
    const good = helloBytes({ extensions: [named("www.example.com"), alpn("h2"), versions(0x0304), preSharedKey([new Uint8Array(40)])] });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = good.slice();
        for (const [at, value] of changes) bytes[at] = value;
        const reading = readHello(bytes);
        if (reading.kind === "hello") expect(reading.hello.length).toBe(good.length - 5);
        else expect(["incomplete", "not-tls", "malformed"]).toContain(reading.kind);
      }),
      { numRuns: 3000, seed: 8446 },
    );
  });

  it("are malformed when the message's lengths are right and its content is cut", () => {
    const message = helloMessage();
    for (let length = 4; length < message.length; length++) {
      const cut = joined(octets(1, 0, (length - 4) >> 8, (length - 4) & 255), message.subarray(4, length));
      // Cut right behind the compression methods it is a hello without extensions.
      const kind = length === 4 + 2 + 32 + 33 + 6 + 2 ? "hello" : "malformed";
      expect(readHello(records(cut)).kind).toBe(kind);
    }
  });

  it("cost no more when they are 16,000 extensions", () => {
    const many = Array.from({ length: 16_000 }, (_, at) => ({ type: 1000 + at, data: octets() }));
    const started = performance.now();
    expect(readHello(records(helloMessage({ extensions: many }))).kind).toBe("hello");
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("of one hello do not count as seen in the next", () => {
    expect(readHello(withExtensions({ type: 23, data: octets() })).kind).toBe("hello");
    expect(readHello(withExtensions({ type: 23, data: octets() })).kind).toBe("hello");
  });
});
