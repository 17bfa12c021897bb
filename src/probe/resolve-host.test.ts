import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { requireHostName } from "../base/index.ts";
import { resolveHost } from "./index.ts";

const TYPE = { A: 1, CNAME: 5, AAAA: 28 } as const;
type Records = Partial<Record<keyof typeof TYPE, readonly string[]>>;

/** What a small DNS server knows; numbers are response codes (RFC 1035 section 4.1.1), `silent` is no answer. */
const ZONE: Readonly<Record<string, Records | number | "silent">> = {
  "both.example.test": { A: ["192.0.2.4", "192.0.2.5"], AAAA: ["2001:db8::4"] },
  "four.example.test": { A: ["192.0.2.4"] },
  "alias.example.test": { CNAME: ["both.example.test"], A: ["192.0.2.4"] },
  "mail.example.test": {},
  "broken.example.test": 2,
  "refused.example.test": 5,
  "gone.example.test": 3,
  "silent.example.test": "silent",
};

const encodeName = (name: string): Buffer =>
  Buffer.concat([...name.split(".").map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])), Buffer.from([0])]);

function encodeData(type: keyof typeof TYPE, value: string): Buffer {
  if (type === "A") return Buffer.from(value.split(".").map(Number));
  if (type === "CNAME") return encodeName(value);
  const [head = "", tail = ""] = value.split("::");
  const groups = [
    ...head.split(":"),
    ...Array.from({ length: 8 - head.split(":").length - tail.split(":").length }, () => "0"),
    ...tail.split(":"),
  ];
  return Buffer.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));
}

function answerTo(query: Buffer): Buffer | undefined {
  let at = 12;
  const labels: string[] = [];
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  const asked = query.readUInt16BE(at + 1);
  const known = ZONE[labels.join(".").toLowerCase()] ?? 3;
  if (known === "silent") return undefined;
  const records = typeof known === "number" ? {} : known;
  const type = (Object.keys(TYPE) as (keyof typeof TYPE)[]).find((one) => TYPE[one] === asked);
  const answers = (type === undefined ? [] : (records[type] ?? [])).map((value) => {
    const data = encodeData(type ?? "A", value);
    const fixed = Buffer.alloc(12);
    fixed.writeUInt16BE(0xc00c, 0);
    fixed.writeUInt16BE(asked, 2);
    fixed.writeUInt16BE(1, 4);
    fixed.writeUInt32BE(60, 6);
    fixed.writeUInt16BE(data.length, 10);
    return Buffer.concat([fixed, data]);
  });
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180 | (typeof known === "number" ? known : 0), 2);
  head.writeUInt16BE(answers.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, query.subarray(12, at + 5), ...answers]);
}

let server: Socket;
let address: string;

beforeAll(async () => {
  server = createSocket("udp4");
  server.on("message", (query, from) => {
    const answer = answerTo(query);
    if (answer !== undefined) server.send(answer, from.port, from.address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  address = `127.0.0.1:${server.address().port}`;
});
afterAll(() => server.close());

const resolve = (name: string, timeoutMs = 5_000) => resolveHost(requireHostName(name), { servers: [address], timeoutMs });

describe("a name", () => {
  test.each([
    ["both.example.test", { addresses: ["192.0.2.4", "192.0.2.5", "2001:db8::4"] }],
    ["four.example.test", { addresses: ["192.0.2.4"] }],
    ["alias.example.test", { addresses: ["192.0.2.4"], cname: "both.example.test" }],
    ["mail.example.test", { addresses: [], problem: "the name has no A or AAAA record" }],
    ["gone.example.test", { addresses: [], problem: "the name does not exist" }],
    ["broken.example.test", { addresses: [], problem: "the resolver failed (SERVFAIL)" }],
    ["refused.example.test", { addresses: [], problem: "the resolver refuses to answer (REFUSED)" }],
  ])("%s", async (name, expected) => {
    expect(await resolve(name)).toEqual(expected);
  });

  it("is waited for no longer than told", async () => {
    const started = performance.now();
    expect(await resolve("silent.example.test", 300)).toEqual({ addresses: [], problem: "the resolver did not answer in time" });
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  it("is given up when the caller's signal aborts", async () => {
    const settings = { servers: [address], signal: AbortSignal.abort() };
    expect(await resolveHost(requireHostName("silent.example.test"), settings)).toMatchObject({ addresses: [] });
  });

  it("of the hosts file is found where resolvers know nothing of it", async () => {
    const { addresses } = await resolveHost(requireHostName("localhost"), { timeoutMs: 3_000 });
    expect(["127.0.0.1", "::1"]).toContain(addresses[0]);
  });
});
