/** The servers that certfarm is measured against, one process each, without an access log. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { hostName } from "./make-certificates.mjs";
import { freePorts, SERVER_CPU, start } from "./processes.mjs";

/** An nginx with this text in its http block. */
export async function startNginx(bench, http, { cpu = SERVER_CPU, name = "nginx", port } = {}) {
  const folder = bench.folder("nginx");
  const config = join(folder, "nginx.conf");
  const log = join(folder, "nginx.log");
  const user = process.getuid?.() === 0 ? "user root;" : "";
  writeFileSync(
    config,
    `${user} worker_processes 1; daemon off; pid ${join(folder, "nginx.pid")}; error_log ${log} warn;
events { worker_connections 8192; }
http {
  access_log off; keepalive_requests 1000000000; server_names_hash_max_size 2097152; server_names_hash_bucket_size 128;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_timeout 1h;
${http}
}
`,
  );
  return { ...start("nginx", ["-e", log, "-c", config], { cpu, logFile: log }), name, port };
}

/** An nginx with a server block and a certificate file of its own for every name, which answers from its configuration. */
export async function startStaticNginx(bench, certificates, count, options = {}) {
  const [port] = await freePorts(1);
  const block = (host) => {
    const file = join(certificates, `${host}.pem`);
    return `server { listen 127.0.0.1:${port} ssl; server_name ${host}; ssl_certificate ${file}; ssl_certificate_key ${file}; location / { return 200 "hello world"; } }`;
  };
  return startNginx(bench, Array.from({ length: count }, (_, at) => block(hostName(at))).join("\n"), { ...options, port });
}

/** An HAProxy that ends TLS with every certificate of a folder. */
export async function startTlsHaproxy(bench, certificates) {
  const [port] = await freePorts(1);
  return startHaproxy(
    bench,
    port,
    `defaults
 mode http
 timeout client 10s
 timeout server 10s
 timeout connect 5s
frontend f
 bind 127.0.0.1:${port} ssl crt ${certificates}/ alpn h2,http/1.1
 http-request return status 200 content-type text/plain string "hello world"
`,
  );
}

/** An HAProxy in TCP mode, in front of ports of this machine: [{ port, target }]. */
export async function startTcpHaproxy(bench, lanes) {
  const listens = lanes.map(({ port, target }) => `listen l${port}\n bind 127.0.0.1:${port}\n server s 127.0.0.1:${target}\n`).join("");
  return startHaproxy(
    bench,
    lanes[0].port,
    `defaults
 mode tcp
 timeout client 30s
 timeout server 30s
 timeout connect 5s
${listens}`,
  );
}

function startHaproxy(bench, port, text) {
  const folder = bench.folder("haproxy");
  const config = join(folder, "haproxy.cfg");
  writeFileSync(config, `global\n nbthread 1\n maxconn 4000\n${text}`);
  return { ...start("haproxy", ["-db", "-f", config], { logFile: join(folder, "haproxy.log") }), name: "HAProxy", port };
}

/** A Caddy on one processor: `tls` = its certificates, `route` = what answers. */
export async function startCaddy(bench, certificates, handlers) {
  const [port] = await freePorts(1);
  const folder = bench.folder("caddy");
  const config = join(folder, "caddy.json");
  const server = {
    listen: [`127.0.0.1:${port}`],
    protocols: ["h1", "h2"],
    automatic_https: { disable: true },
    tls_connection_policies: [{}],
    routes: [{ handle: handlers }],
  };
  const tls = { disable_ocsp_stapling: true, cache: { capacity: 300_000 }, certificates };
  const logging = { logs: { default: { level: "ERROR" } } };
  writeFileSync(config, JSON.stringify({ admin: { disabled: true }, logging, apps: { tls, http: { servers: { s: server } } } }));
  const env = { GOMAXPROCS: "1", HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
  return { ...start("caddy", ["run", "--config", config], { env, logFile: join(folder, "caddy.log") }), name: "Caddy", port };
}
