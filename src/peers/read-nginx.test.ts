import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { array, assert, asyncProperty, constantFrom, oneof, string } from "fast-check";
import { afterAll, describe, expect, it, test } from "vitest";

import { FarmError } from "../base/index.ts";
import { matchesGlob } from "./nginx/glob.ts";
import { readNginx } from "./read-nginx.ts";
import { folderOf, selfSigned } from "./testing/folder.ts";
import type { ConfigFile, PeerReading } from "./types.ts";

const nothing = async (): Promise<readonly ConfigFile[]> => [];
const read = (text: string): Promise<PeerReading> => readNginx({ path: "/etc/nginx/nginx.conf", text }, nothing);
const shortly = ({ evidence }: PeerReading): readonly string[] =>
  evidence.bindings?.bindings.map(
    ({ protocol, host = "*", address, port, sni, files = [] }) =>
      `${protocol}://${host} ${address} ${port}${sni ? " sni" : ""}${files.length === 0 ? "" : ` ${files.join(",")}`}`,
  ) ?? [];

/** A configuration with everything that the reader knows, for the real nginx as well: ports above 1024, files in one folder. */
const REAL = {
  "nginx.conf": `
daemon off; pid nginx.pid; error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  log_format odd '"$request" {not a block} ; # not a comment';
  map $http_host $backend { default "a;b"; ~^(?<name>www\\d+)\\.example\\.com$ $name; }
  ssl_certificate pem/www.pem; ssl_certificate_key pem/www.pem;
  ssl_protocols TLSv1.2 TLSv1.3;
  include sites/*.conf;
  include more.conf;
}
`,
  "sites/a.conf": `# a comment with "quotes' and { braces
server {
  listen 18443 ssl http2 default_server; listen [::]:18443 ssl;
  server_name www.example.com example.com;
  if ($host = "a b;{c}") { return 403; }
  location ~ "^/x{1,3}\\.php$" { return 200 "a\\"b"; }
}
server { listen 18443; server_name .shop.example.com "~^(?<sub>.+)\\.dyn\\.example\\.com$"; ssl_certificate 'pem/shop.pem'; ssl_certificate_key "pem/shop.pem"; }
`,
  "sites/b.conf": `server { listen 127.0.0.1:18444 ssl proxy_protocol; server_name _; ssl_reject_handshake on; }
server { listen 127.0.0.1:18444 ssl; server_name *.static.example.com; }
server { listen 18080; server_name www.example.com; return 301 https://$host$request_uri; }
`,
  "sites/ignored.txt": `server { listen 1; }`,
  "more.conf": "server { listen 18445 ssl; server_name b\u00fccher.example; }",
};
const pem = selfSigned();
const folder = folderOf({ ...REAL, "pem/www.pem": pem, "pem/shop.pem": pem, "tmp/x": "" });
afterAll(folder.close);
const nginx = (...args: string[]) =>
  spawnSync("nginx", ["-p", folder.path, "-c", join(folder.path, "nginx.conf"), ...args], { encoding: "utf8" });

/** As a caller would: names sorted, one level of `*`. */
async function findFiles(pattern: string): Promise<readonly ConfigFile[]> {
  const names = readdirSync(dirname(pattern)).toSorted();
  const paths = names.map((name) => join(dirname(pattern), name)).filter((path) => path === pattern || matchesGlob(pattern, path));
  return paths.map((path) => ({ path, text: readFileSync(path, "utf8") }));
}

describe("a configuration that the real nginx takes", () => {
  const www = join(folder.path, "pem/www.pem");
  const shop = join(folder.path, "pem/shop.pem");
  const expected = [
    `https://* * 18443 ${www}`,
    `https://www.example.com * 18443 sni ${www}`,
    `https://example.com * 18443 sni ${www}`,
    `https://shop.example.com * 18443 sni ${shop}`,
    `https://*.shop.example.com * 18443 sni ${shop}`,
    `https://* :: 18443 ${www}`,
    `https://www.example.com :: 18443 sni ${www}`,
    `https://example.com :: 18443 sni ${www}`,
    `https://*.static.example.com 127.0.0.1 18444 sni ${www}`,
    "http://* * 18080",
    "http://www.example.com * 18080",
    `https://* * 18445 ${www}`,
    `https://xn--bcher-kva.example * 18445 sni ${www}`,
  ];

  it("is taken", () => {
    const { status, stderr } = nginx("-t");
    expect(stderr).toContain("test is successful");
    expect(status).toBe(0);
  });

  it("is read from its files", async () => {
    const path = join(folder.path, "nginx.conf");
    const reading = await readNginx({ path, text: REAL["nginx.conf"] }, findFiles);
    expect(shortly(reading)).toEqual(expected);
    expect(reading.files).toEqual([www, shop]);
    expect(reading.evidence).toMatchObject({ make: "nginx", source: path });
    expect(reading.evidence.listeners).toEqual([
      { endpoint: { address: "0.0.0.0", port: 18443 }, bindingPort: 18443, protocol: "https", proxyProtocol: false },
      { endpoint: { address: "::", port: 18443 }, bindingPort: 18443, protocol: "https", proxyProtocol: false },
      { endpoint: { address: "127.0.0.1", port: 18444 }, bindingPort: 18444, protocol: "https", proxyProtocol: true },
      { endpoint: { address: "0.0.0.0", port: 18080 }, bindingPort: 18080, protocol: "http", proxyProtocol: false },
      { endpoint: { address: "0.0.0.0", port: 18445 }, bindingPort: 18445, protocol: "https", proxyProtocol: false },
    ]);
    expect(reading.evidence.protocols?.map(({ enabled }) => enabled)).toEqual([false, false, true, true]);
    expect(reading.evidence.protocols?.[3]?.source).toBe(`${path}:10`);
    expect(reading.notes).toEqual([
      {
        source: `${join(folder.path, "sites/a.conf")}:8`,
        text: "server_name ~^(?<sub>.+)\\.dyn\\.example\\.com$: which names these are cannot be listed",
      },
      { source: `${join(folder.path, "sites/b.conf")}:1`, text: "refuses handshakes on port 18444 (ssl_reject_handshake)" },
    ]);
  });

  it("is read from what nginx -T prints, standard error before it or not", async () => {
    const { stdout, stderr } = nginx("-T");
    for (const text of [stdout, `${stderr}${stdout}`])
      expect(shortly(await readNginx({ path: "web1/nginx.txt", text }, nothing))).toEqual(expected);
  });
});

test.each<[string, string, readonly string[]]>([
  [
    "a file of servers alone",
    "server { listen 443 ssl; server_name a.example; ssl_certificate /a.pem; }",
    ["https://* * 443 /a.pem", "https://a.example * 443 sni /a.pem"],
  ],
  ["a server without listen is on port 80", "http { server { server_name a.example; } }", ["http://* * 80", "http://a.example * 80"]],
  [
    "ssl on, as it was written before 1.15",
    "http { ssl on; server { listen 443; ssl_certificate a.pem; } }",
    ["https://* * 443 /etc/nginx/a.pem"],
  ],
  [
    "two certificates of two kinds of keys",
    "server { listen 443 ssl; ssl_certificate r.pem; ssl_certificate e.pem; }",
    ["https://* * 443 /etc/nginx/r.pem,/etc/nginx/e.pem"],
  ],
  [
    "ssl on one listen counts for all on that place",
    "server { listen 443; } server { listen 443 ssl; server_name b.example; ssl_certificate /b; }",
    ["https://* * 443", "https://b.example * 443 sni /b"],
  ],
  [
    "sockets of the file system and QUIC are left out",
    "server { listen unix:/run/a.sock; listen 443 quic; listen 80; }",
    ["http://* * 80"],
  ],
  ["ports in a range", "server { listen 10.0.0.4:8000-8001; }", ["http://* 10.0.0.4 8000", "http://* 10.0.0.4 8001"]],
  [
    "stream servers that end TLS, and not those that pass it on",
    "stream { server { listen 636 ssl; ssl_certificate /l.pem; } server { listen 443; ssl_preread on; } }",
    ["https://* * 636 /l.pem"],
  ],
  [
    "code in Lua, with its own braces, comments and texts",
    `server { listen 80; location / { content_by_lua_block { local a = "}" -- }
    local b = [[ } ]] if a then ngx.say({ a = 1 }) end } } server_name a.example; }`,
    ["http://* * 80", "http://a.example * 80"],
  ],
  [
    "a word with braces of a variable",
    "server { listen 80; set $a ${b}c; root /srv/${host}; server_name a.example; }",
    ["http://* * 80", "http://a.example * 80"],
  ],
  ["byte order mark and line ends of Windows", "\uFEFFserver {\r\n listen 80; # c\r\n}\r\n", ["http://* * 80"]],
])("reads %s", async (_name, text, bindings) => {
  expect(shortly(await read(text))).toEqual(bindings);
});

test("tells what it could not follow", async () => {
  const { notes, files } = await read(`
    include /etc/nginx/mime.types; include conf.d/*.conf;
    server { listen localhost:443 ssl; listen 443 ssl; ssl_certificate /etc/ssl/$ssl_server_name.pem; }
    mail { }`);
  expect(files).toEqual([]);
  expect(notes).toEqual([
    { source: "/etc/nginx/nginx.conf:2", text: "/etc/nginx/mime.types was not there to be read" },
    { source: "/etc/nginx/nginx.conf:4", text: "servers of mail are not looked at" },
    { source: "/etc/nginx/nginx.conf:3", text: "listen: localhost:443 is not an address and a port" },
    {
      source: "/etc/nginx/nginx.conf:3",
      text: "ssl_certificate /etc/ssl/$ssl_server_name.pem: which files these are depends on the client",
    },
  ]);
});

test.each([
  ["a block that is not closed", "http {\n server {\n listen 80;\n }\n", 1, 'the block of "http" has no closing "}"'],
  ["a brace too many", "http { }\n}", 2, 'unexpected "}"'],
  ["a directive without its end", "http { server { listen 80 } }", 1, '"listen" has no ";" behind it'],
  ["the end of the file in a directive", "events {}\nuser nobody", 2, '"user" has no ";" or "{" behind it'],
  ["a quote that is not closed", "user 'nobody;\n", 1, 'the quote before "nobody;\\n" is not closed'],
  ["a word that clings to a quote", 'user "a"b;', 1, 'a blank is missing after "\\"a\\""'],
  ["a block without a name", "{ }", 1, 'unexpected "{"'],
  ["Lua without an end", "init_by_lua_block { a = '}' ", 1, 'the block of init_by_lua_block has no closing "}"'],
  ["an include of two paths", "include a b;", 1, "include takes one path"],
])("refuses %s, as nginx does, with the line", async (_name, text, line, problem) => {
  await expect(read(text)).rejects.toThrow(
    expect.objectContaining({ code: "PEER_CONFIG_INVALID", message: `/etc/nginx/nginx.conf:${line}: ${problem}` }),
  );
});

test("ends with an error where there is no end: includes of themselves, many files, deep blocks", async () => {
  const self = async (): Promise<readonly ConfigFile[]> => [{ path: "/a.conf", text: "include a.conf;" }];
  await expect(readNginx({ path: "/nginx.conf", text: "include a.conf;" }, self)).rejects.toThrow("does a file include itself?");
  const many = async (): Promise<readonly ConfigFile[]> => Array.from({ length: 3000 }, (_, index) => ({ path: `/${index}`, text: "" }));
  await expect(readNginx({ path: "/nginx.conf", text: "include *;" }, many)).rejects.toThrow("more than 2000 files");
  await expect(read("a {".repeat(100_000))).rejects.toThrow("blocks nest deeper than 64");
  const names = Array.from({ length: 1000 }, (_, index) => `h${index}.example`).join(" ");
  await expect(read(`server { listen 1-1000; server_name ${names}; }`)).rejects.toThrow("more than 400000 bindings");
  await expect(read(`server { ${"ssl_certificate a;".repeat(65)} }`)).rejects.toThrow("a server with more than 64 certificates");
});

test("any text gives a reading or a typed error", async () => {
  const piece = constantFrom(
    "server",
    "listen",
    "443",
    "ssl",
    "{",
    "}",
    ";",
    " ",
    "\n",
    '"',
    "'",
    "\\",
    "$",
    "${",
    "#",
    "include",
    "*",
    "[::]:1-9",
    "x_by_lua_block",
    "--[[",
    "server_name",
    "\0",
  );
  const text = oneof(
    string({ unit: "binary", maxLength: 80 }),
    array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
  );
  await assert(
    asyncProperty(text, async (input) => {
      const outcome = await read(input).catch((thrown: unknown) => thrown);
      expect(outcome instanceof FarmError ? outcome.code : typeof outcome).toMatch(/^(PEER_CONFIG_INVALID|object)$/);
      if (!(outcome instanceof FarmError) && outcome instanceof Error) throw outcome;
    }),
    { numRuns: 200 },
  );
});

test.each([
  ["/etc/nginx/conf.d/*.conf", "/etc/nginx/conf.d/a.conf", true],
  ["/etc/nginx/conf.d/*.conf", "/etc/nginx/conf.d/x/a.conf", false],
  ["/etc/nginx/*/a.conf", "/etc/nginx/b/a.conf", true],
  ["/a/[a-c]?.conf", "/a/b1.conf", true],
  ["/a/[!a-c]?.conf", "/a/b1.conf", false],
  ["/a/*", "/a/", true],
  ["/a/b", "/a/bc", false],
  [`/${"*a".repeat(2000)}b`, `/${"a".repeat(4000)}`, false],
])("glob %s and %s", (pattern, path, fits) => {
  expect(matchesGlob(pattern, path)).toBe(fits);
});
