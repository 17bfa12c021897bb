import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

import type { Authority, IssueRequest } from "../../src/pki/index.ts";
import { freePorts } from "./free-ports.ts";
import { until } from "./until.ts";

/** Servers of other makes, each on a port of 127.0.0.1, that a test sets up right or wrong. */
export interface PeerServers {
  readonly folder: string;
  /** Writes a certificate with its chain (`NAME.crt`), its key (`NAME.key`) and both in one (`NAME.pem`). */
  certificate(name: string, authority: Authority, request: IssueRequest): Promise<CertificatePaths>;
  /** nginx with these directives in its `http` block; PORT stands for the port. @returns the port */
  nginx(http: string): Promise<number>;
  /** HAProxy with these lines after its defaults (mode tcp). */
  haproxy(lines: string): Promise<number>;
  caddy(site: string): Promise<number>;
  /** Apache with these virtual hosts, TLS and HTTP/2 loaded. */
  apache(sites: string): Promise<number>;
  /** A TLS server of Node that hands every connection to `serve`. */
  tls(options: TlsOptions, serve: (socket: Socket) => void): Promise<number>;
  /** A TCP server that hands every connection to `serve`. */
  tcp(serve: (socket: Socket) => void): Promise<number>;
  /** Stops the process that listens on this port without ending it: the kernel goes on taking its connections. */
  freeze(port: number): void;
  /** Ends them all and removes the folder. */
  stop(): Promise<void>;
}

/** Where a certificate lies. */
export interface CertificatePaths {
  readonly chain: string;
  readonly key: string;
  readonly both: string;
}

/** Makes a folder for servers; none runs yet. */
export async function peerServers(): Promise<PeerServers> {
  const folder = await mkdtemp(join(tmpdir(), "certfarm-peers-"));
  const ends: (() => Promise<unknown>)[] = [];
  const pids = new Map<number, number>();

  /** Writes the configuration, starts the program, and waits until its port takes connections. */
  async function program(make: string, text: string, args: (file: string) => readonly string[]): Promise<number> {
    const [port = 0] = await freePorts(1);
    const file = join(folder, `${make}-${port}.conf`);
    await writeFile(file, text.replaceAll("PORT", String(port)));
    const child = spawn(make, args(file), {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, HOME: folder, XDG_DATA_HOME: folder },
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (part: string) => (said = (said + part).slice(-4_000)));
    const ended = once(child, "exit").catch((error: unknown) => (said += String(error)));
    ends.push(async () => {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
      await ended;
    });
    await until(
      async () => {
        if (child.exitCode !== null) throw new Error(`${make} ended: ${said}`);
        return takesConnections(port);
      },
      { what: `${make} on port ${port}: ${said}` },
    );
    if (child.pid !== undefined) pids.set(port, child.pid);
    return port;
  }

  async function listen(server: TcpServer): Promise<number> {
    const open = new Set<Socket>();
    server.on("connection", (socket: Socket) => {
      open.add(socket);
      socket.on("error", () => undefined).once("close", () => open.delete(socket));
    });
    const [port = 0] = await freePorts(1);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    ends.push(async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    });
    return port;
  }

  return {
    folder,
    async certificate(name, authority, request) {
      const { chainPem, keyPem } = await authority.issue(request);
      const paths = { chain: join(folder, `${name}.crt`), key: join(folder, `${name}.key`), both: join(folder, `${name}.pem`) };
      await writeFile(paths.chain, chainPem);
      await writeFile(paths.key, keyPem.reveal());
      await writeFile(paths.both, chainPem + keyPem.reveal());
      return paths;
    },
    nginx: (http) => program("nginx", nginxConfig(folder, http), (file) => ["-p", folder, "-c", file]),
    haproxy: (lines) => program("haproxy", HAPROXY_DEFAULTS + lines, (file) => ["-db", "-f", file]),
    caddy: (site) => program("caddy", CADDY_OPTIONS + site, (file) => ["run", "--adapter", "caddyfile", "--config", file]),
    apache: (sites) => program("apache2", apacheConfig(folder) + sites, (file) => ["-X", "-f", file]),
    tls: (options, serve) =>
      listen(createTlsServer(options, (socket) => serve(socket.on("error", () => undefined))).on("tlsClientError", () => undefined)),
    tcp: (serve) => listen(createTcpServer(serve)),
    freeze(port) {
      const pid = pids.get(port);
      if (pid === undefined) throw new Error(`no program was started on port ${port}`);
      process.kill(pid, "SIGSTOP");
    },
    async stop() {
      await Promise.all(ends.map((end) => end()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

const nginxConfig = (folder: string, http: string): string => `
daemon off; master_process off; pid ${folder}/nginx-PORT.pid; error_log stderr crit;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  ${http}
}
`;

const HAPROXY_DEFAULTS = `
defaults
  mode tcp
  timeout connect 3s
  timeout client 5s
  timeout server 5s
`;

const CADDY_OPTIONS = `{
  admin off
  auto_https disable_redirects
  skip_install_trust
  default_bind 127.0.0.1
}
`;

const APACHE_MODULES = ["alias", "authz_core", "mpm_event", "ssl", "http2", "socache_shmcb"];

const apacheConfig = (folder: string): string => `
${APACHE_MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join("\n")}
ServerRoot ${folder}
DocumentRoot ${folder}
ServerName localhost
DefaultRuntimeDir ${folder}
PidFile ${folder}/apache-PORT.pid
ErrorLog /dev/null
User nobody
Listen 127.0.0.1:PORT
Protocols h2 http/1.1
Redirect 200 /
SSLSessionCache shmcb:${folder}/apache-PORT.cache(512000)
`;
