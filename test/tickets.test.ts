import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type SecureVersion, type TLSSocket } from "node:tls";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { silentLog, systemClock } from "../src/base/index.ts";
import { createTicketKeys } from "../src/replica/index.ts";
import { opensslClient } from "./farm/clients/openssl.ts";
import { openTls, request } from "./farm/clients/tls.ts";
import { DEFAULT_CERTIFICATES } from "./farm/certificates.ts";
import { DEFAULT_SITES } from "./farm/farm-yaml.ts";
import { startTestFarm, type TestFarm } from "./farm/start-test-farm.ts";
import { until } from "./farm/until.ts";

const HOST = "www.shop.localhost";
const VERSIONS = ["TLSv1.2", "TLSv1.3"] as const;

let farm: TestFarm;

beforeAll(async () => {
  const policy = (clientCertificates: string): Record<string, string> => ({ clientCertificates, clientCa: "staff.pem" });
  farm = await startTestFarm({
    nodes: 3,
    sites: [
      ...DEFAULT_SITES,
      { name: "staff", bindings: ["https://staff.shop.localhost"], content: "staff", tls: policy("require") },
      { name: "guest", bindings: ["https://guest.shop.localhost"], content: "guest", tls: policy("request") },
    ],
    certificates: [
      ...DEFAULT_CERTIFICATES,
      { file: "staff.shop.localhost.pem", names: ["staff.shop.localhost"] },
      { file: "guest.shop.localhost.pem", names: ["guest.shop.localhost"] },
    ],
    files: async (authority) => ({ "certificates/authorities/staff.pem": authority.certificatePem }),
  });
});
afterAll(async () => farm?.stop());

interface Visit {
  readonly resumed: boolean;
  readonly session: Buffer;
}

/** One connection with one request; the session is the last one that the server gave. */
async function visit(port: number, options: { servername?: string; maxVersion?: SecureVersion; session?: Buffer }): Promise<Visit> {
  const servername = options.servername ?? HOST;
  let session: Buffer | undefined;
  const socket: TLSSocket = await openTls({ port, ca: farm.authority.certificatePem, ...options, servername });
  socket.on("session", (given: Buffer) => {
    session = given;
  });
  expect(await request(socket, servername)).toMatch(/^HTTP\/1\.1 200 /);
  const resumed = socket.isSessionReused();
  session ??= socket.getSession();
  socket.end();
  await once(socket, "close");
  if (session === undefined) throw new Error("the server gave no session");
  return { resumed, session };
}

/** Turns the ticket keys, and waits until every node has the new ones (it keeps a copy on its disk). */
async function rotate(): Promise<void> {
  const keys = createTicketKeys({ store: farm.storeHandle, clock: systemClock, log: silentLog, rotateEveryMs: 0 });
  await keys.rotateIfDue({ lost: new AbortController().signal });
  const wanted = keys.current()?.current.id ?? expect.fail("there are no keys");
  for (const { name } of farm.nodes) {
    const copy = join(farm.root, "data", name, "ticket-keys.json");
    await until(async () => (await readFile(copy, "latin1")).startsWith(`{"current":"${wanted}"`), {
      what: `${name} has the new ticket keys`,
    });
  }
}

describe.each(VERSIONS)("a session over %s", (maxVersion) => {
  it("resumes on every node and through the balancer", async () => {
    let { session } = await visit(farm.balancer.https, { maxVersion });
    for (let round = 0; round < 4; round += 1) {
      for (const { name, https } of farm.entrances) {
        const next = await visit(https, { maxVersion, session });
        expect(next.resumed, name).toBe(true);
        session = next.session;
      }
    }
  });

  it("resumes on another node for OpenSSL's own client", async () => {
    const file = join(farm.root, `session-${maxVersion}.pem`);
    const [version, request] = [maxVersion === "TLSv1.2" ? "-tls1_2" : "-tls1_3", { serverName: HOST, caFile: farm.caFile }];
    const [first, second] = farm.nodes;
    const out = await opensslClient({ ...request, port: first?.https ?? 0, options: [version, "-sess_out", file] });
    expect(out).toMatchObject({ code: 0, resumed: false, verified: true });
    const again = await opensslClient({ ...request, port: second?.https ?? 0, options: [version, "-sess_in", file] });
    expect(again).toMatchObject({ code: 0, resumed: true });
    await rm(file);
  });

  it("of one host never resumes another, even under the same wildcard certificate", async () => {
    const first = await visit(farm.balancer.https, { maxVersion, servername: "one.apps.localhost" });
    for (const { https } of farm.entrances) {
      expect((await visit(https, { maxVersion, servername: "two.apps.localhost", session: first.session })).resumed).toBe(false);
      expect((await visit(https, { maxVersion, servername: HOST, session: first.session })).resumed).toBe(false);
      expect((await visit(https, { maxVersion, servername: "one.apps.localhost", session: first.session })).resumed).toBe(true);
    }
  });

  it("survives a rotation of the farm's ticket keys, and not two", async () => {
    const { session } = await visit(farm.balancer.https, { maxVersion });
    await rotate();
    for (const { https, name } of farm.nodes) expect((await visit(https, { maxVersion, session })).resumed, name).toBe(true);
    const later = await visit(farm.balancer.https, { maxVersion });
    await rotate();
    for (const { https, name } of farm.nodes) {
      expect((await visit(https, { maxVersion, session: later.session })).resumed, name).toBe(true);
      expect((await visit(https, { maxVersion, session })).resumed, name).toBe(false);
    }
  });

  it("survives the restart of a node", async () => {
    const { session } = await visit(farm.nodes[0]?.https ?? 0, { maxVersion });
    await farm.process("web2").end();
    farm.process("web2").start();
    await farm.ready();
    const resumed = async (): Promise<boolean> => (await visit(farm.nodes[1]?.https ?? 0, { maxVersion, session })).resumed;
    await until(resumed, { what: "the restarted node resumes" });
  });
});

describe("client certificates", () => {
  let identity: { readonly cert: string; readonly key: string };
  beforeAll(async () => {
    const { chainPem, keyPem } = await farm.authority.issue({ names: ["ada.example"], client: true });
    identity = { cert: chainPem, key: keyPem.reveal() };
  });

  it.each(VERSIONS)("let those in who have one, and nobody else, where they are required (%s)", async (maxVersion) => {
    for (const { https, name } of farm.entrances) {
      const options = { port: https, servername: "staff.shop.localhost", maxVersion, ca: farm.authority.certificatePem };
      const socket = await openTls({ ...options, ...identity });
      expect(await request(socket, options.servername), name).toMatch(/^HTTP\/1\.1 200 /);
      socket.destroy();
      await expect(
        openTls(options).then((open) => request(open, options.servername)),
        name,
      ).rejects.toThrow();
    }
  });

  it("are told in the journal when they are missing", async () => {
    const [node] = farm.nodes;
    const entries = async (): Promise<readonly string[] | false> => {
      const { entries: all } = await farm.ask(node?.name ?? "", "refusals", { after: 0, limit: 1_000 });
      const reasons = all.filter(({ serverName }) => serverName === "staff.shop.localhost").map(({ reason }) => reason);
      return reasons.length > 0 && reasons;
    };
    expect((await until(entries, { what: "an entry" })).value).toContain("client-certificate-refused");
  });

  it("are asked for and not needed where they are requested", async () => {
    for (const { https } of farm.entrances) {
      const options = { port: https, servername: "guest.shop.localhost", ca: farm.authority.certificatePem };
      for (const given of [{}, identity]) {
        const socket = await openTls({ ...options, ...given });
        expect(await request(socket, options.servername)).toMatch(/^HTTP\/1\.1 200 /);
        socket.destroy();
      }
    }
  });

  it("of a stranger's authority are refused where they are required", async () => {
    const { createTestAuthority } = await import("./farm/certificates.ts");
    const { chainPem, keyPem } = await (await createTestAuthority()).issue({ names: ["eve.example"], client: true });
    const options = { port: farm.balancer.https, servername: "staff.shop.localhost", ca: await readFile(farm.caFile) };
    await expect(
      openTls({ ...options, cert: chainPem, key: keyPem.reveal() }).then((open) => request(open, options.servername)),
    ).rejects.toThrow();
  });
});
