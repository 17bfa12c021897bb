import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createSecureServer, type Http2SecureServer } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { parseHostPattern, patternCovers, silentLog, systemClock, type HostPattern } from "../../base/index.ts";
import type { Limits, SiteConfig, SiteIndex } from "../../config/index.ts";
import {
  answerClientError,
  createWebHandler,
  httpServerOptions,
  type AccessEntry,
  type ClientErrorKind,
  type ConnectionFacts,
  type ContentTree,
  type TlsDemands,
  type WebHandler,
  type WebOptions,
} from "../index.ts";

const LIMITS: Limits = {
  handshakeTimeoutMs: 5_000,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  idleTimeoutMs: 5_000,
  maxHeaderBytes: 8_192,
  maxBodyBytes: 100_000,
  maxConnections: 1_000,
  maxLiveNames: 100,
  nodeHeader: "X-Farm-Node",
  accessLog: "json",
};

/** A content tree of these files in a folder of its own. */
export function contentTree(files: Readonly<Record<string, string | Buffer>>): ContentTree {
  const root = mkdtempSync(join(tmpdir(), "content-"));
  const facts = new Map<string, { size: number; sha256: string; mtimeMs: number }>();
  const all = createHash("sha256");
  for (const [path, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    facts.set(path, { size: bytes.length, sha256, mtimeMs: Date.UTC(2026, 0, 2, 3, 4, 5) });
    all.update(path + sha256);
  }
  return { digest: all.digest("hex"), root, files: facts };
}

/** A pattern, from text that is one. */
function pattern(text: string): HostPattern {
  const parsed = parseHostPattern(text);
  if (parsed === undefined) throw new Error(`${text} is no host pattern`);
  return parsed;
}

/** A site on http:80 and https:443 for a host. */
export function site(name: string, host: string | undefined, serve: SiteConfig["serve"], more: Partial<SiteConfig> = {}): SiteConfig {
  const base = { address: "*", sni: true, certificate: "central", ...(host === undefined ? {} : { host: pattern(host) }) } as const;
  return {
    name,
    bindings: [
      { ...base, protocol: "http", port: 80 },
      { ...base, protocol: "https", port: 443 },
    ],
    serve,
    redirectToHttps: false,
    ...more,
  };
}

function indexOf(sites: readonly SiteConfig[]): SiteIndex {
  return {
    find: (protocol, port, host) =>
      sites.find((one) =>
        one.bindings.some(
          (binding) =>
            binding.protocol === protocol &&
            binding.port === port &&
            (binding.host === undefined || (host !== undefined && patternCovers(binding.host, host))),
        ),
      ),
    httpsHosts: [],
  };
}

const noDemands = (_host: string, _port: number): TlsDemands => ({ minVersion: "1.2" });

/** Real servers over one handler, on ports of their own. */
export interface Farm {
  readonly handler: WebHandler;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** The certificate of the https listener, PEM, and its key. */
  readonly certificate: string;
  readonly key: string;
  readonly entries: AccessEntry[];
  readonly clientErrors: ClientErrorKind[];
  set(change: {
    sites?: readonly SiteConfig[];
    limits?: Partial<Limits>;
    content?: Readonly<Record<string, ContentTree>>;
    fault?: Error;
    demands?: (host: string, port: number) => TlsDemands;
  }): void;
  /** Resolves with the next entry of the access log. */
  nextEntry(): Promise<AccessEntry>;
  close(): Promise<void>;
}

/** Serves these sites. The https certificate covers `*.example.test`; binding ports are 80 and 443. */
export async function serveSites(
  sites: readonly SiteConfig[],
  content: Readonly<Record<string, ContentTree>> = {},
  options: Partial<WebOptions> & { readonly idleTimeoutMs?: number } = {},
): Promise<Farm> {
  const folder = mkdtempSync(join(tmpdir(), "web-"));
  const state = { index: indexOf(sites), limits: LIMITS, content, fault: undefined as Error | undefined, demands: noDemands };
  const entries: AccessEntry[] = [];
  const clientErrors: ClientErrorKind[] = [];
  let waiting: ((entry: AccessEntry) => void)[] = [];
  const log = {
    record(entry: AccessEntry): void {
      entries.push(entry);
      for (const wake of waiting) wake(entry);
      waiting = [];
    },
  };
  const handler = createWebHandler(
    {
      node: "web1",
      sites: () => state.index,
      limits: () => state.limits,
      content(name) {
        if (state.fault !== undefined) throw state.fault;
        return state.content[name];
      },
      tlsDemands: (port, host) => state.demands(host ?? "", port),
      publicHttpsPort: (port) => (port === 443 ? 8_443 : port),
    },
    { log, clock: systemClock, diagnostics: silentLog, ...options },
  );
  const pair = selfSigned(folder);
  const { http1, http2, idleTimeoutMs } = httpServerOptions({ ...LIMITS, idleTimeoutMs: options.idleTimeoutMs ?? LIMITS.idleTimeoutMs });
  const plain = createServer(http1);
  const secure = createSecureServer({ ...http1, ...http2, ...pair, allowHTTP1: true });
  for (const server of [plain, secure]) server.setTimeout(idleTimeoutMs);
  for (const server of [plain, secure]) attach(server, handler, server === secure, clientErrors);
  return {
    handler,
    httpPort: await listen(plain),
    httpsPort: await listen(secure),
    certificate: pair.cert,
    key: pair.key,
    entries,
    clientErrors,
    set(change) {
      if (change.sites !== undefined) state.index = indexOf(change.sites);
      if (change.limits !== undefined) state.limits = { ...LIMITS, ...change.limits };
      if (change.content !== undefined) state.content = change.content;
      state.fault = change.fault;
      state.demands = change.demands ?? noDemands;
    },
    nextEntry: () => new Promise((resolve) => waiting.push(resolve)),
    async close() {
      await handler.close();
      plain.closeAllConnections();
      await Promise.all([plain, secure].map((server) => new Promise((resolve) => server.close(resolve))));
      rmSync(folder, { recursive: true, force: true });
      for (const tree of Object.values(state.content)) rmSync(tree.root, { recursive: true, force: true });
    },
  };
}

function selfSigned(folder: string): { key: string; cert: string } {
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days", "30"].concat([
      "-subj",
      "/CN=example.test",
      "-addext",
      "subjectAltName=DNS:*.example.test,IP:127.0.0.1",
    ]),
    { stdio: "ignore" },
  );
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

async function listen(server: Server | Http2SecureServer): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // a TCP server that listens has one
}

const facts = new WeakMap<object, ConnectionFacts>();

function factsOf(socket: Socket, secure: boolean): ConnectionFacts {
  let known = facts.get(socket);
  if (known === undefined) {
    const client = { clientAddress: "198.51.100.7", clientPort: socket.remotePort ?? 0 };
    known = secure
      ? { protocol: "https", bindingPort: 443, ...client, certificateNames: [pattern("*.example.test")] }
      : { protocol: "http", bindingPort: 80, ...client };
    facts.set(socket, known);
  }
  return known;
}

function attach(server: Server | Http2SecureServer, handler: WebHandler, secure: boolean, errors: ClientErrorKind[]): void {
  const any = server as Server; // both emit these events
  const of = (request: Parameters<WebHandler["request"]>[0]): ConnectionFacts =>
    "stream" in request ? factsOf(request.stream.session as unknown as Socket, secure) : factsOf(request.socket, secure);
  any.on("request", (request, response) => handler.request(request, response, of(request)));
  any.on("checkContinue", (request, response) => handler.checkContinue(request, response, of(request)));
  any.on("upgrade", (request, socket, head) => handler.upgrade(request, socket, head, of(request)));
  any.on("clientError", (error: NodeJS.ErrnoException & { rawPacket?: Buffer }, socket) => {
    errors.push(answerClientError(error, socket, error.rawPacket));
  });
}
