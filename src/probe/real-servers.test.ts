import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { requireHostName, systemClock, type Endpoint } from "../base/index.ts";
import type { Cell, ProbeKind } from "../doctor/index.ts";
import { lookAround } from "./index.ts";
import { TestServers } from "./testing/test-servers.ts";

const host = requireHostName("www.example.test");
const folder = mkdtempSync(join(tmpdir(), "real-servers-"));
const path = (name: string): string => join(folder, name);
const children: ChildProcess[] = [];
let servers: TestServers;

beforeAll(async () => {
  servers = await TestServers.start();
  for (const keyType of ["ecdsa", "rsa"] as const) {
    const { key, cert } = await servers.issue(["www.example.test"], { keyType });
    writeFileSync(path(`${keyType}.pem`), key + cert);
  }
});
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  servers.close();
  rmSync(folder, { recursive: true });
});

const freeEndpoint = (): Promise<Endpoint> => servers.nobody();

async function start(command: string, args: readonly string[], endpoint: Endpoint): Promise<Endpoint> {
  const child = spawn(command, args, { stdio: "ignore", cwd: folder });
  children.push(child);
  for (let tries = 0; tries < 400; tries += 1) {
    if (child.exitCode !== null) break;
    if (await answers(endpoint)) return endpoint;
    await sleep(25);
  }
  throw new Error(`${command} does not listen: ${String(child.exitCode)}`);
}

const answers = ({ address, port }: Endpoint): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: address, port }, () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => resolve(false));
  });

async function nginx(listen: string, more = ""): Promise<Endpoint> {
  const endpoint = await freeEndpoint();
  const name = `nginx-${endpoint.port}`;
  const user = process.getuid?.() === 0 ? "user root;" : "";
  const temps = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${path(`${name}-${kind}`)};`);
  const pairs = ["ecdsa", "rsa"].map((type) => `ssl_certificate ${path(`${type}.pem`)}; ssl_certificate_key ${path(`${type}.pem`)};`);
  writeFileSync(
    path(`${name}.conf`),
    `${user} daemon off; master_process off; pid ${path(`${name}.pid`)}; error_log ${path(`${name}.log`)};
events {}
http { access_log off; ${temps.join(" ")}
  server { listen 127.0.0.1:${endpoint.port} ${listen}; server_name www.example.test; ${pairs.join(" ")} ${more} location / { return 200 "hello"; } } }`,
  );
  return start("nginx", ["-e", path(`${name}.log`), "-c", path(`${name}.conf`)], endpoint);
}

async function haproxy(bind: string): Promise<Endpoint> {
  const endpoint = await freeEndpoint();
  const config = path(`haproxy-${endpoint.port}.cfg`);
  writeFileSync(
    config,
    `global
  nbthread 1
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
frontend f
  bind 127.0.0.1:${endpoint.port} ${bind}
  http-request return status 200 content-type text/plain string hello
`,
  );
  return start("haproxy", ["-db", "-f", config], endpoint);
}

async function look(endpoint: Endpoint, deep = false): Promise<Cell> {
  const { cells, gaps } = await lookAround(
    {
      nodes: [{ name: "web1", role: "node", endpoints: [endpoint] }],
      hosts: [{ name: host }],
      ca: [servers.root],
      deep,
      timeoutMs: 10_000,
    },
    { clock: systemClock },
  );
  expect(gaps).toEqual([]);
  return cells[0] ?? expect.fail("no cell");
}

function leafOf({ probes }: Cell, kind: ProbeKind): string | undefined {
  const outcome = probes[kind]?.outcome;
  return outcome?.kind === "served" ? outcome.chain?.[0]?.keyName : outcome?.kind;
}

test("nginx with RSA and ECDSA, set up right", async () => {
  const cell = await look(await nginx("ssl http2", "ssl_protocols TLSv1.2 TLSv1.3;"), true);
  const failed = Object.entries(cell.probes).filter(([, { outcome }]) => outcome.kind !== "served");
  expect(failed).toEqual([]);
  expect([leafOf(cell, "rsa"), leafOf(cell, "ecdsa")]).toEqual(["RSA 2048", "P-256"]);
  expect(cell.probes.h2?.outcome).toMatchObject({ alpn: "h2" });
  expect(cell.probes["own-session"]?.outcome).toMatchObject({ resumed: true });
  expect(cell.request).toMatchObject({ status: 200, headers: { server: expect.stringContaining("nginx") } });
  expect(Math.abs(cell.request?.clockOffsetMs ?? Number.NaN)).toBeLessThan(5_000);
});

test("nginx on a port without TLS", async () => {
  expect((await look(await nginx(""))).probes.sni?.outcome).toMatchObject({ kind: "error", speaks: "http" });
});

test("nginx that rejects every handshake", async () => {
  const cell = await look(await nginx("ssl", "ssl_reject_handshake on;"));
  expect(cell.probes.sni?.outcome).toEqual({ kind: "alert", alert: "unrecognized_name" });
});

test.each([
  ["nginx", () => nginx("ssl proxy_protocol")],
  ["HAProxy", () => haproxy(`ssl crt ${path("ecdsa.pem")} accept-proxy`)],
])("%s that wants a PROXY header", async (_name, serve) => {
  const cell = await look(await serve());
  expect(cell.probes.sni?.outcome.kind).not.toBe("served");
  expect(cell.probes["proxy-header"]).toMatchObject({ proxyHeader: 1, outcome: { kind: "served", verified: true } });
});

test("HAProxy with strict-sni, set up right", async () => {
  const cell = await look(await haproxy(`ssl crt ${path("ecdsa.pem")} strict-sni alpn h2,http/1.1`));
  expect(cell.probes.sni?.outcome).toMatchObject({ kind: "served", verified: true });
  expect(cell.request).toMatchObject({ status: 200 });
  expect(cell.probes["unknown-name"]?.outcome.kind).toBe("alert");
});

test("OpenSSL's s_server of TLS 1.2 with one certificate", async () => {
  const endpoint = await freeEndpoint();
  const args = [
    "s_server",
    "-accept",
    `${endpoint.address}:${endpoint.port}`,
    "-cert",
    "rsa.pem",
    "-key",
    "rsa.pem",
    "-tls1_2",
    "-www",
    "-quiet",
  ];
  const cell = await look(await start("openssl", args, endpoint), true);
  expect(cell.probes.sni?.outcome).toMatchObject({ kind: "served", protocol: "TLSv1.2", chainLength: 1 });
  expect(cell.probes.tls13?.outcome).toEqual({ kind: "alert", alert: "protocol_version" });
  expect(cell.probes.ecdsa?.outcome).toEqual({ kind: "alert", alert: "handshake_failure" });
  expect(cell.request).toMatchObject({ status: 200 });
});

test("Node's own HTTP server on the port", async () => {
  expect((await look(await servers.listen(createServer()))).probes.sni?.outcome).toMatchObject({ kind: "error", speaks: "http" });
});
