import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ascii, helloBytes, joined, named, octets, serverName, versions, type HelloParts } from "../src/handshake/testing/hello-bytes.ts";
import type { RefusalEntry } from "../src/node/requests.ts";
import { curl } from "./farm/clients/curl.ts";
import { sendRaw } from "./farm/clients/raw.ts";
import { handshake, openTls, request } from "./farm/clients/tls.ts";
import { startTestFarm, type Entrance, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

const UNRECOGNIZED_NAME = 112;
const DECODE_ERROR = 50;
const UNEXPECTED_MESSAGE = 10;
const INTERNAL_ERROR = 80;
const HANDSHAKE_TIMEOUT_MS = 1_000;

let farm: TestFarm;

beforeAll(async () => {
  farm = await startTestFarm({ nodes: 2, limits: { handshakeTimeout: `${HANDSHAKE_TIMEOUT_MS}ms` } });
});
afterAll(async () => farm?.stop());

const web1 = (): Entrance => farm.nodes[0] ?? expect.fail("there is no node");

/** How far the journal of each node is read. */
const readUpTo = new Map<string, number>();

/** The entries of every node's journal that are new since the last call, once there are at least this many. */
async function newEntries(count: number): Promise<readonly RefusalEntry[]> {
  const entries: RefusalEntry[] = [];
  const readJournal = async ({ name }: Entrance): Promise<void> => {
    const after = readUpTo.get(name) ?? 0;
    const { entries: more } = await farm.ask(name, "refusals", { after, limit: 1_000 });
    entries.push(...more);
    readUpTo.set(name, more.at(-1)?.sequence ?? after);
  };
  const readAll = async (): Promise<boolean> => {
    await Promise.all(farm.nodes.map(readJournal));
    return entries.length >= count;
  };
  await until(readAll, { what: `${count} entries in the refusal journals`, everyMs: 20 });
  return entries;
}

/** Runs an act while a connection made before is in use, and looks that it and new ones are served as ever. */
async function beside(act: () => Promise<void>): Promise<void> {
  const options = { port: web1().https, servername: "www.shop.localhost", ca: farm.authority.certificatePem };
  const socket = await openTls(options);
  try {
    expect(await request(socket, "www.shop.localhost")).toMatch(/^HTTP\/1\.1 200 /);
    await act();
    expect(await request(socket, "www.shop.localhost")).toMatch(/^HTTP\/1\.1 200 /);
    expect(await handshake(options)).toMatchObject({ kind: "served" });
  } finally {
    socket.destroy();
  }
}

const hello = (name: Uint8Array | string): Uint8Array =>
  helloWith({ extensions: [typeof name === "string" ? named(name) : serverName(name), versions(0x0304, 0x0303)] });
const helloWith = (parts: HelloParts): Uint8Array => helloBytes(parts);

describe("a name without a certificate", () => {
  it.each(["TLSv1.2", "TLSv1.3"] as const)("gets unrecognized_name at the client and an entry in the journal (%s)", async (maxVersion) => {
    const host = `nobody-${maxVersion.at(-1)}.example`;
    for (const entrance of farm.entrances) {
      const answer = await handshake({ port: entrance.https, servername: host, maxVersion, ca: farm.authority.certificatePem });
      expect(answer).toEqual({ kind: "failed", error: "ERR_SSL_TLSV1_UNRECOGNIZED_NAME" });
    }
    const entries = await newEntries(farm.entrances.length);
    expect(entries).toHaveLength(farm.entrances.length);
    for (const entry of entries) {
      expect(entry).toMatchObject({ reason: "no-certificate", serverName: host, alert: "unrecognized_name" });
      expect(entry.client).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(entry.detail).not.toBe("");
    }
  });

  it("is told by curl as what it is", async () => {
    const answer = await curl({ url: `https://nobody.example:${farm.balancer.https}/`, caFile: farm.caFile });
    expect(answer.error).toMatch(/unrecognized name/i);
    expect(await newEntries(1)).toMatchObject([{ serverName: "nobody.example" }]);
  });
});

describe("server names that no honest client sends", () => {
  it.each([
    ["no SNI at all", helloWith({ extensions: [versions(0x0304, 0x0303)] }), UNRECOGNIZED_NAME, "no-server-name", undefined],
    ["no extensions at all", helloWith({ extensions: undefined }), UNRECOGNIZED_NAME, "no-server-name", undefined],
    ["300 characters", hello("a".repeat(300)), UNRECOGNIZED_NAME, "invalid-server-name", `${"a".repeat(80)}…`],
    [
      "300 characters in valid labels",
      hello(`${"a".repeat(49)}.`.repeat(6)),
      UNRECOGNIZED_NAME,
      "invalid-server-name",
      expect.stringMatching(/…$/),
    ],
    ["a path", hello("../../x"), UNRECOGNIZED_NAME, "invalid-server-name", "../../x"],
    [
      "a path that would lead to a good file",
      hello("../certificates/www.shop.localhost"),
      UNRECOGNIZED_NAME,
      "invalid-server-name",
      expect.any(String),
    ],
    ["a backslash path", hello("..\\..\\x"), UNRECOGNIZED_NAME, "invalid-server-name", "..\\x5c..\\x5cx"],
    [
      "a NUL behind a good name",
      hello("www.shop.localhost\0.evil.example"),
      UNRECOGNIZED_NAME,
      "invalid-server-name",
      "www.shop.localhost\\x00.evil.example",
    ],
    [
      "control characters",
      hello("www\r\n\t.shop.localhost"),
      UNRECOGNIZED_NAME,
      "invalid-server-name",
      "www\\x0d\\x0a\\x09.shop.localhost",
    ],
    [
      "terminal escapes",
      hello("\u001b[2J\u001b]0;x\u0007.localhost"),
      UNRECOGNIZED_NAME,
      "invalid-server-name",
      "\\x1b[2J\\x1b]0;x\\x07.localhost",
    ],
    ["raw UTF-8", hello(Buffer.from("bücher.localhost")), UNRECOGNIZED_NAME, "invalid-server-name", "b\\xc3\\xbccher.localhost"],
    ["Latin-1", hello(ascii("b\u00fccher.localhost")), UNRECOGNIZED_NAME, "invalid-server-name", "b\\xfccher.localhost"],
    ["an address", hello("127.0.0.1"), UNRECOGNIZED_NAME, "invalid-server-name", "127.0.0.1"],
    ["a wildcard", hello("*.apps.localhost"), UNRECOGNIZED_NAME, "invalid-server-name", "*.apps.localhost"],
    ["a Windows device name", hello("con.pfx"), UNRECOGNIZED_NAME, "no-certificate", "con.pfx"],
    [
      "an empty name",
      hello(new Uint8Array()),
      [UNRECOGNIZED_NAME, DECODE_ERROR],
      expect.stringMatching(/^(invalid-server-name|malformed-hello)$/),
      undefined,
    ],
    [
      "two names",
      helloWith({ extensions: [serverName(ascii("www.shop.localhost"), ascii("api.shop.localhost")), versions(0x0304)] }),
      [DECODE_ERROR, UNRECOGNIZED_NAME],
      expect.any(String),
      undefined,
    ],
  ])("%s: an alert, an entry that is safe to print, and nobody else is harmed", async (_title, bytes, alerts, reason, shown) => {
    await beside(async () => {
      for (const entrance of farm.entrances) {
        const answer = await sendRaw(entrance.https, bytes);
        expect([alerts].flat(), `the alert at ${entrance.name}`).toContain(answer.alert);
      }
      const entries = await newEntries(farm.entrances.length);
      expect(entries).toHaveLength(farm.entrances.length);
      for (const entry of entries) {
        expect(entry).toMatchObject({ reason, ...(shown === undefined ? {} : { serverName: shown }) });
        expect(JSON.stringify(entry)).toMatch(/^[\x20-\x7e…]*$/);
      }
    });
  });
});

describe("what is no handshake", () => {
  const whole = hello("www.shop.localhost");

  it("half a ClientHello gets an alert after the time-out", async () => {
    await beside(async () => {
      const answer = await sendRaw(web1().https, whole.subarray(0, whole.length / 2));
      expect(answer.alert).toBe(INTERNAL_ERROR);
      expect(answer.tookMs).toBeGreaterThan(HANDSHAKE_TIMEOUT_MS - 50);
      expect(answer.tookMs).toBeLessThan(HANDSHAKE_TIMEOUT_MS + 5_000);
      expect(await newEntries(1)).toMatchObject([{ reason: "hello-timeout" }]);
    });
  });

  it("half a ClientHello at the balancer is ended there, and counted", async () => {
    await beside(async () => {
      const answer = await sendRaw(farm.balancer.https, whole.subarray(0, whole.length / 2));
      expect(answer.tookMs).toBeLessThan(15_000);
      const state = await fetch(`http://127.0.0.1:${farm.balancer.health}/state`);
      expect(await state.json()).toMatchObject({ connections: { refused: { "hello-timeout": 1 } } });
    });
  });

  it("a client that leaves in the middle of its ClientHello is let go at once, and counted", async () => {
    await beside(async () => {
      const answer = await sendRaw(web1().https, whole.subarray(0, 40), { close: true });
      expect(answer.tookMs).toBeLessThan(HANDSHAKE_TIMEOUT_MS);
      expect(await newEntries(1)).toMatchObject([{ reason: "hello-closed" }]);
    });
  });

  it("a ClientHello in pieces of one octet is read as a whole one", async () => {
    const pieces = joined(...Array.from(hello("nobody.example").subarray(5), (octet) => joined(octets(22, 3, 1, 0, 1), octets(octet))));
    const answer = await sendRaw(web1().https, pieces);
    expect(answer.alert).toBe(UNRECOGNIZED_NAME);
    expect(await newEntries(1)).toMatchObject([{ serverName: "nobody.example" }]);
  });

  it("plain HTTP on a TLS port is told to use https", async () => {
    await beside(async () => {
      for (const entrance of farm.entrances) {
        const answer = await sendRaw(entrance.https, "GET / HTTP/1.1\r\nHost: www.shop.localhost\r\n\r\n");
        expect(answer.bytes.toString(), entrance.name).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[^]*https:\/\//);
        expect(await newEntries(1)).toMatchObject([{ reason: "plaintext-http" }]);
      }
    });
  });

  it("TLS on a plain port gets an alert", async () => {
    await beside(async () => {
      for (const entrance of farm.entrances) {
        const answer = await handshake({ port: entrance.http, servername: "www.shop.localhost", ca: farm.authority.certificatePem });
        expect(answer.kind).toBe("failed");
        const raw = await sendRaw(entrance.http, whole);
        expect(raw.alert, entrance.name).toBe(UNEXPECTED_MESSAGE);
      }
    });
  });

  it.each([
    ["garbage", Buffer.from("\u0000\u0001hello, is it TLS?\r\n\r\n"), UNEXPECTED_MESSAGE, "not-tls"],
    ["another protocol", Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"), UNEXPECTED_MESSAGE, "not-tls"],
    ["a ClientHello whose lengths lie", Buffer.from("160301000901000005030100000000", "hex"), DECODE_ERROR, "malformed-hello"],
    ["a record that is too long", Buffer.concat([Buffer.from("160301ffff", "hex"), Buffer.alloc(4_000)]), DECODE_ERROR, "malformed-hello"],
    ["an SSL 2 hello", Buffer.from("802b0100020012000000100100800700c0030080060040020080", "hex"), UNEXPECTED_MESSAGE, "not-tls"],
    ["an early alert of the client's own", Buffer.from("15030100020228", "hex"), DECODE_ERROR, "malformed-hello"],
  ])("%s gets an alert and an entry", async (_title, bytes, alert, reason) => {
    await beside(async () => {
      for (const entrance of farm.entrances) expect((await sendRaw(entrance.https, bytes)).alert, entrance.name).toBe(alert);
      expect(await newEntries(farm.entrances.length)).toEqual(farm.entrances.map(() => expect.objectContaining({ reason })));
    });
  });

  it("a thousand refusals at once harm nobody, and each is counted", async () => {
    await beside(async () => {
      const before = (await farm.ask(web1().name, "refusals", { after: 0, limit: 1 })).total;
      const answers = await Promise.all(Array.from({ length: 1_000 }, (_, index) => sendRaw(web1().https, hello(`scan${index}.example`))));
      expect(answers.filter(({ alert }) => alert !== UNRECOGNIZED_NAME)).toEqual([]);
      expect((await farm.ask(web1().name, "refusals", { after: 0, limit: 1 })).total).toBe(before + 1_000);
    });
  });
});
