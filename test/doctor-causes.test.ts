import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";

import { afterAll, beforeAll, describe, expect, it, test } from "vitest";

import { parseIpAddress, requireHostName, systemClock } from "../src/base/index.ts";
import { diagnose, RULES, type Examination, type Finding } from "../src/doctor/index.ts";
import { createAuthority, type Authority } from "../src/pki/index.ts";
import { lookAround } from "../src/probe/index.ts";
import { createTestAuthority } from "./farm/certificates.ts";
import { peerServers, type CertificatePaths, type PeerServers } from "./farm/peer-servers.ts";

const WWW = "www.example.test";
const SHOP = "shop.example.test";
const HOSTS = [WWW, SHOP];

let servers: PeerServers;
let authority: Authority;
let www: CertificatePaths;
let shop: CertificatePaths;
let rsa: CertificatePaths;
let other: CertificatePaths;
/** The port of an nginx that is set up right. */
let right: number;

beforeAll(async () => {
  authority = await createTestAuthority();
  servers = await peerServers();
  const issue = (name: string, names: readonly [string, ...string[]], keyType: "rsa" | "ecdsa" = "ecdsa") =>
    servers.certificate(name, authority, { names, keyType });
  [www, shop, rsa, other] = await Promise.all([
    issue("www", [WWW]),
    issue("shop", [SHOP]),
    issue("rsa", [WWW], "rsa"),
    issue("other", ["old.example.test"]),
  ]);
  right = await servers.nginx(site(WWW, www) + site(SHOP, shop));
});
afterAll(async () => servers?.stop());

/** A `server` block of nginx that answers 200. */
const site = (host: string, { chain, key }: CertificatePaths, more = "", listen = "ssl http2"): string =>
  `server { listen 127.0.0.1:PORT ${listen}; server_name ${host}; ssl_certificate ${chain}; ssl_certificate_key ${key}; ${more} location / { return 200 "${host}"; } }\n`;
/** Turns clients without a name, and with one that nobody serves, away. */
const REJECT = "server { listen 127.0.0.1:PORT ssl http2 default_server; ssl_reject_handshake on; }\n";
const DEFAULT = (): string => site("_", other, "", "ssl http2 default_server");

/** A TLS server of Node that answers with this text. */
const node = (options: object, answer: string): Promise<number> =>
  servers.tls({ cert: readFileSync(www.chain), key: readFileSync(www.key), ...options }, (socket) =>
    socket.once("data", () => socket.end(answer)),
  );
const answerOf = (server: string, status = "200 OK"): string =>
  `HTTP/1.1 ${status}\r\nServer: ${server}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;

interface Farm {
  readonly nodes: Readonly<Record<string, number>>;
  readonly via?: number;
  readonly hosts?: readonly string[];
  /** What is more in the plan of the look around. */
  readonly plan?: { readonly deep?: boolean; readonly samples?: number; readonly perEndpoint?: number };
}

/** Dials a farm as the doctor does, and names the causes. */
async function findingsOf({ nodes, via, hosts = HOSTS, plan = {} }: Farm): Promise<readonly Finding[]> {
  const address = parseIpAddress("127.0.0.1");
  if (address === undefined) throw new Error("no address");
  const at = (name: string, role: "node" | "balancer", port: number) => ({ name, role, endpoints: [{ address, port }] });
  const asked = {
    nodes: [
      ...Object.entries(nodes).map(([name, port]) => at(name, "node", port)),
      ...(via === undefined ? [] : [at("lb", "balancer", via)]),
    ],
    hosts: hosts.map((name) => ({ name: requireHostName(name) })),
  };
  const { cells, gaps } = await lookAround(
    { ...asked, ca: [authority.certificatePem], timeoutMs: 1_500, threads: 1, ...plan },
    { clock: systemClock },
  );
  const examination: Examination = { at: systemClock.now(), ...asked, cells, gaps, roots: "given" };
  const { findings, rules } = diagnose(examination, RULES);
  expect(rules.filter(({ status }) => status === "failed")).toEqual([]);
  return findings;
}

const told = (findings: readonly Finding[]): string =>
  JSON.stringify(
    findings.map(({ code, summary, proof }) => [code, summary, proof]),
    undefined,
    1,
  );

const closer = { deep: true, samples: 7, perEndpoint: 1 } as const;

/** Which code comes first, on which nodes. */
type Cause = readonly [name: string, farm: () => Promise<Farm>, first: string, nodes?: readonly string[]];

/** web1 is right, web2 is this port. */
const beside = async (port: Promise<number>, more: Partial<Farm> = {}): Promise<Farm> => ({
  nodes: { web1: right, web2: await port },
  ...more,
});

const NODES: readonly Cause[] = [
  [
    "a server that resets after every ClientHello",
    () => beside(servers.tcp((socket) => socket.once("data", () => socket.resetAndDestroy()))),
    "node-resets-every-handshake",
    ["web2"],
  ],
  ["nginx that has one certificate for all", () => beside(servers.nginx(DEFAULT())), "node-serves-one-certificate", ["web2"]],
  [
    "nginx that falls back to its default for one name",
    () => beside(servers.nginx(DEFAULT() + site(SHOP, shop))),
    "default-certificate-for-name",
    ["web2"],
  ],
  [
    "nginx whose server block of a name names another certificate",
    () => beside(servers.nginx(site(SHOP, shop) + site(WWW, other))),
    "wrong-certificate-for-name",
    ["web2"],
  ],
  ["nginx that rejects one name", () => beside(servers.nginx(REJECT + site(SHOP, shop))), "name-refused", ["web2"]],
  [
    "HAProxy with strict-sni and without one name",
    () => beside(servers.haproxy(haproxySite(`ssl crt ${shop.both} strict-sni`))),
    "name-refused",
    ["web2"],
  ],
  ["Caddy without one name", () => beside(servers.caddy(caddySite(SHOP, shop))), "name-refused", ["web2"]],
  [
    "Apache whose first site answers for a name that it lacks",
    () => beside(servers.apache(apacheSite(SHOP, shop))),
    "default-certificate-for-name",
    ["web2"],
  ],
  [
    "HTTP.sys that has no site for a name",
    () => beside(node({}, answerOf("Microsoft-HTTPAPI/2.0", "404 Not Found")), { hosts: [WWW] }),
    "site-stopped",
    ["web2"],
  ],
  ["nginx before a server that is down", () => beside(servers.nginx(site(SHOP, shop) + proxied(WWW, www))), "request-fails", ["web2"]],
  [
    "nginx that forbids a request",
    () => beside(servers.nginx(site(SHOP, shop) + site(WWW, www, "return 403;"))),
    "status-differs",
    ["web2"],
  ],
  ["a port that nobody listens on", () => beside(closedPort()), "connection-refused", ["web2"]],
  ["a server that takes no more connections", () => beside(fullPort()), "connection-times-out", ["web2"]],
  ["nginx that hangs", () => beside(frozen(servers.nginx(site(WWW, www)))), "handshake-times-out", ["web2"]],
  ["nginx without ssl on the port", () => beside(servers.nginx(`server { listen 127.0.0.1:PORT; }`)), "plain-http-on-tls-port", ["web2"]],
  [
    "SSH on the port",
    () => beside(servers.tcp((socket) => socket.end("SSH-2.0-OpenSSH_9.2p1\r\n"))),
    "foreign-protocol-on-tls-port",
    ["web2"],
  ],
  [
    "nginx that turns clients without SNI away, beside one that does not",
    () => beside(servers.nginx(REJECT + site(WWW, www) + site(SHOP, shop))),
    "clients-without-sni",
    ["web2"],
  ],
  [
    "a server that knows TLS 1.1 only",
    () => beside(node({ minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }, answerOf("x")), { hosts: [WWW] }),
    "tls-versions-differ",
    ["web2"],
  ],
  [
    "nginx that knows TLS 1.3 only",
    () => beside(servers.nginx(site(WWW, www, "ssl_protocols TLSv1.3;") + site(SHOP, shop)), { plan: { deep: true } }),
    "tls-versions-differ",
    ["web2"],
  ],
  [
    "a server without a cipher suite for its key",
    () => beside(node({ maxVersion: "TLSv1.2", ciphers: "ECDHE-RSA-AES128-GCM-SHA256" }, answerOf("x")), { hosts: [WWW] }),
    "no-common-cipher",
    ["web2"],
  ],
  [
    "HAProxy that demands a client certificate",
    () => beside(servers.haproxy(haproxySite(`ssl crt ${www.both} crt ${shop.both} ca-file ${www.chain} verify required`))),
    "client-certificate-required",
    ["web2"],
  ],
  ["nginx without HTTP/2", () => beside(servers.nginx(site(WWW, www, "", "ssl") + site(SHOP, shop, "", "ssl"))), "alpn-differs", ["web2"]],
  [
    "nginx that expects a PROXY header",
    () => beside(servers.nginx(site(WWW, www, "", "ssl proxy_protocol") + site(SHOP, shop, "", "ssl proxy_protocol"))),
    "proxy-protocol-mismatch",
    ["web2"],
  ],
  [
    "HAProxy that expects a PROXY header",
    () => beside(servers.haproxy(haproxySite(`ssl crt ${www.both} crt ${shop.both} accept-proxy`))),
    "proxy-protocol-mismatch",
    ["web2"],
  ],
];

const haproxySite = (bind: string): string => `frontend site
  mode http
  bind 127.0.0.1:PORT ${bind}
  http-request return status 200 content-type text/plain string hello
`;
const caddySite = (host: string, { chain, key }: CertificatePaths): string => `https://${host}:PORT {
  tls ${chain} ${key}
  respond "hello"
}
`;
const apacheSite = (host: string, { chain, key }: CertificatePaths): string => `<VirtualHost *:PORT>
  ServerName ${host}
  SSLEngine on
  SSLCertificateFile ${chain}
  SSLCertificateKeyFile ${key}
</VirtualHost>
`;
const proxied = (host: string, { chain, key }: CertificatePaths): string =>
  `server { listen 127.0.0.1:PORT ssl http2; server_name ${host}; ssl_certificate ${chain}; ssl_certificate_key ${key}; location / { proxy_pass http://127.0.0.1:1; } }\n`;

async function frozen(started: Promise<number>): Promise<number> {
  const port = await started;
  servers.freeze(port);
  return port;
}

async function closedPort(): Promise<number> {
  const { freePorts } = await import("./farm/free-ports.ts");
  return (await freePorts(1))[0] ?? 0;
}

/** A frozen server whose queue of connections is full: the kernel drops what comes next. */
async function fullPort(): Promise<number> {
  const port = await frozen(servers.haproxy(`frontend full\n  bind 127.0.0.1:PORT backlog 1\n`));
  const waiting: Socket[] = Array.from({ length: 4 }, () =>
    connect(port, "127.0.0.1")
      .on("error", () => undefined)
      .unref(),
  );
  await new Promise((resolve) => waiting[0]?.once("connect", resolve));
  return port;
}

const rows = (causes: readonly Cause[]) => causes.map(([name, farm, first, nodes]) => ({ name, farm, first, nodes }));

async function expectFirst({ farm, first, nodes }: ReturnType<typeof rows>[number]): Promise<void> {
  const findings = await findingsOf(await farm());
  expect(findings[0]?.code, told(findings)).toBe(first);
  if (nodes !== undefined) expect(findings[0]?.nodes).toEqual(nodes);
}

describe("a node that is ill, beside one that is right: the cause is the first finding", () => {
  test.each(rows(NODES))("$name", expectFirst);
});

/** HAProxy on layer 4 before these ports. */
const passing = (ports: readonly number[], server = "", listener = ""): Promise<number> =>
  servers.haproxy(`listen pass
  bind 127.0.0.1:PORT ${listener}
  balance roundrobin
${ports.map((port, index) => `  server s${index} 127.0.0.1:${port} ${server}\n`).join("")}`);

/** HAProxy that ends TLS with this certificate and opens it again to this port, without SNI. */
const ending = (port: number, { both }: CertificatePaths): Promise<number> =>
  servers.haproxy(`listen end
  mode http
  bind 127.0.0.1:PORT ssl crt ${both}
  server s 127.0.0.1:${port} ssl verify none
`);

const resetting = (): Promise<number> => servers.tcp((socket) => socket.once("data", () => socket.resetAndDestroy()));
const strict = (): Promise<number> => servers.nginx(REJECT + site(WWW, www) + site(SHOP, shop));

/** nginx whose tickets are made with a key of this number. */
async function withTicketKey(number: number): Promise<number> {
  const file = join(servers.folder, `ticket-${number}.key`);
  await writeFile(file, Buffer.alloc(80, number));
  return servers.nginx(`ssl_session_ticket_key ${file};\n` + site(WWW, www) + site(SHOP, shop));
}

const FARMS: readonly Cause[] = [
  ["a balancer that nobody listens for", async () => ({ nodes: { web1: right }, via: await closedPort() }), "connection-refused", ["lb"]],
  [
    "HAProxy that ends TLS and opens it again without SNI",
    async () => {
      const port = await strict();
      return {
        nodes: { web1: port },
        via: await ending(port, await servers.certificate("edge", authority, { names: HOSTS as [string, string] })),
      };
    },
    "balancer-strips-sni",
    ["lb"],
  ],
  [
    "HAProxy that ends TLS with a certificate for other names",
    async () => ({ nodes: { web1: right }, via: await ending(right, other) }),
    "balancer-ends-tls",
    ["lb"],
  ],
  [
    "HAProxy that sends a PROXY header to nginx that does not expect it",
    async () => ({ nodes: { web1: right }, via: await passing([right], "send-proxy") }),
    "proxy-protocol-mismatch",
    ["lb"],
  ],
  [
    "HAProxy that sends a PROXY header to HAProxy that does not expect it",
    async () => {
      const port = await servers.haproxy(haproxySite(`ssl crt ${www.both} crt ${shop.both}`));
      return { nodes: { web1: port }, via: await passing([port], "send-proxy-v2") };
    },
    "proxy-protocol-mismatch",
    ["lb"],
  ],
  [
    "HAProxy with a dead server that was not dialled",
    async () => ({ nodes: { web1: right }, via: await passing([right, await resetting()]) }),
    "balancer-keeps-dead-node",
    ["lb"],
  ],
  [
    "HAProxy that has no server for a name",
    async () => ({
      nodes: { web1: right },
      via: await servers.haproxy(`listen names
  bind 127.0.0.1:PORT
  tcp-request inspect-delay 2s
  tcp-request content reject if { req.ssl_hello_type 1 } !{ req.ssl_sni ${SHOP} }
  tcp-request content accept if { req.ssl_hello_type 1 }
  server s 127.0.0.1:${right}
`),
    }),
    "balancer-fails",
    ["lb"],
  ],
  [
    "nginx with an RSA certificate beside one with both",
    async () => ({
      nodes: {
        web1: await servers.nginx(site(WWW, www, `ssl_certificate ${rsa.chain}; ssl_certificate_key ${rsa.key};`)),
        web2: await servers.nginx(site(WWW, www)),
      },
      hosts: [WWW],
      plan: { deep: true },
    }),
    "key-types-differ",
    ["web2"],
  ],
  [
    "nginx with an RSA certificate beside one with ECDSA",
    async () => ({
      nodes: { web1: await servers.nginx(site(WWW, rsa)), web2: await servers.nginx(site(WWW, www)) },
      hosts: [WWW],
    }),
    "key-types-differ",
  ],
  [
    "one of three nginx with another ticket key",
    async () => ({
      nodes: { web1: await withTicketKey(1), web2: await withTicketKey(1), web3: await withTicketKey(2) },
    }),
    "ticket-keys-differ",
    ["web3"],
  ],
  [
    "two machines behind one address",
    async () => ({
      nodes: { web1: right, web2: await passing([right, await servers.nginx(site(WWW, other) + site(SHOP, other))]) },
      plan: closer,
    }),
    "address-of-two-machines",
    ["web2"],
  ],
  [
    "a name with a dot at the end that one of two like servers does not know",
    async () => ({
      nodes: { web1: await dotted(true), web2: await dotted(false) },
      hosts: [WWW],
      plan: { deep: true },
    }),
    "trailing-dot-differs",
    ["web2"],
  ],
  [
    "a device that opens TLS",
    async () => {
      const device = await createAuthority({ name: "Fortinet CA", now: systemClock.now() });
      const [one, two] = await Promise.all([
        servers.certificate("device-www", device, { names: [WWW] }),
        servers.certificate("device-shop", device, { names: [SHOP] }),
      ]);
      const port = await servers.nginx(site(WWW, one) + site(SHOP, two));
      return { nodes: { web1: port, web2: await passing([port]) } };
    },
    "tls-interception",
  ],
];

/** A server that takes the name with a dot at the end for the host's, or for nobody's. */
function dotted(strips: boolean): Promise<number> {
  const context = createSecureContext({ cert: readFileSync(www.chain), key: readFileSync(www.key) });
  return node(
    {
      SNICallback: (name: string, done: (error: Error | null, context?: SecureContext) => void) =>
        strips || !name.endsWith(".") ? done(null, context) : done(new Error("no such name")),
    },
    answerOf("like"),
  );
}

describe("a farm that is ill as a whole: the cause is the first finding", () => {
  test.each(rows(FARMS))("$name", expectFirst);
});

describe("nothing is found", () => {
  let apart: Readonly<Record<string, number>>;
  beforeAll(async () => {
    apart = {
      nginx: await servers.nginx(DEFAULT() + site(WWW, www) + site(SHOP, shop)),
      haproxy: await servers.haproxy(haproxySite(`ssl crt ${www.both} crt ${shop.both} alpn h2,http/1.1`)),
      strict: await servers.haproxy(haproxySite(`ssl crt ${www.both} crt ${shop.both} strict-sni alpn h2,http/1.1`)),
      caddy: await servers.caddy(caddySite(WWW, www) + caddySite(SHOP, shop)),
      apache: await servers.apache(apacheSite(WWW, www) + apacheSite(SHOP, shop)),
    };
  });

  it.each([
    ["on nginx, HAProxy, Caddy and Apache that are set up right", {}],
    ["on them when every cell is looked at closely", { deep: true, samples: 7 }],
  ])("%s", async (_name, plan) => {
    const { strict: _strict, ...nodes } = apart;
    expect(told(await findingsOf({ nodes, plan }))).toBe("[]");
  });

  it("through a balancer on layer 4 before all of them", async () => {
    const { strict: _strict, ...nodes } = apart;
    expect(told(await findingsOf({ nodes, via: await passing(Object.values(nodes)), plan: { deep: true } }))).toBe("[]");
  });

  it.each(["nginx", "haproxy", "strict", "caddy", "apache"])("on %s alone", async (make) => {
    expect(told(await findingsOf({ nodes: { web1: apart[make] ?? 0 }, plan: { deep: true } }))).toBe("[]");
  });
});

describe("several faults at once are told apart", () => {
  it("the story that it began with, from outside: two nodes without a certificate for anyone, one that serves the same to all", async () => {
    const findings = await findingsOf({
      nodes: { web1: right, web2: await resetting(), web3: await resetting(), web4: await servers.nginx(DEFAULT()) },
    });
    expect(findings.map(({ code, nodes }) => `${code} ${nodes.join(" ")}`).toSorted()).toEqual([
      "node-resets-every-handshake web2",
      "node-resets-every-handshake web3",
      "node-serves-one-certificate web4",
    ]);
  });

  it("a node that is down, one that lacks a name, and a balancer that goes on using both", async () => {
    const [dead, lacking] = [await resetting(), await servers.nginx(REJECT + site(SHOP, shop))];
    const findings = await findingsOf({ nodes: { web1: right, web2: dead, web3: lacking }, via: await passing([right, dead, lacking]) });
    const codes = findings.filter(({ severity }) => severity === "error").map(({ code, nodes }) => `${code} ${nodes.join(" ")}`);
    expect(codes.toSorted(), told(findings)).toEqual(["name-refused web3", "node-resets-every-handshake web2"]);
    expect(findings.map(({ code }) => code)).toContain("balancer-keeps-dead-node");
  });
});
