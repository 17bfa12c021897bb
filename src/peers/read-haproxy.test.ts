import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { array, assert, asyncProperty, constantFrom, oneof, string } from "fast-check";
import { afterAll, describe, expect, it, test } from "vitest";

import { FarmError } from "../base/index.ts";
import { readHaproxy } from "./read-haproxy.ts";
import { folderOf, selfSigned } from "./testing/folder.ts";
import type { ConfigFile, PeerReading } from "./types.ts";

const nothing = async (): Promise<readonly ConfigFile[]> => [];
const read = (text: string, lists: Readonly<Record<string, string>> = {}): Promise<PeerReading> =>
  readHaproxy({ path: "haproxy.cfg", text }, async (path) => (lists[path] === undefined ? [] : [{ path, text: lists[path] }]));
const shortly = ({ evidence }: PeerReading): readonly string[] =>
  evidence.bindings?.bindings.map(
    ({ protocol, host = "*", address, port, sni, files = [] }) =>
      `${protocol}://${host} ${address} ${port}${sni ? " sni" : ""}${files.length === 0 ? "" : ` ${files.join(",")}`}`,
  ) ?? [];

const pem = selfSigned();
const folder = folderOf({ "pem/www.pem": pem, "pem/shop #1.pem": pem, "certs/a.pem": pem, "certs/b.pem": pem });
afterAll(folder.close);

/** Everything that the reader knows and HAProxy 2.6 takes. */
const list = join(folder.path, "list.txt");
const LIST = `# certificates
www.pem
${folder.path}/certs/a.pem [alpn h2 ssl-min-ver TLSv1.2] a.example.com *.a.example.com !no.a.example.com
`;
const CONFIG = `# "a comment' with quotes
global
    maxconn 100 # and another
    crt-base ${folder.path}/pem
    ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets
defaults web
    mode http
    timeout client 5s
    timeout connect 5s
    timeout server 5s
defaults raw
    mode tcp
    timeout client 5s
    timeout connect 5s
    timeout server 5s
frontend "web-server" from web
    bind :18443,[::]:18443 name ssl ssl crt www.pem crt 'shop #1.pem' alpn h2,http/1.1 strict-sni accept-proxy
    bind 127.0.0.1:18444 ssl crt ${folder.path}/certs/ ssl-max-ver TLSv1.2
    bind *:18080-18081
    http-request return status 200 content-type "text/plain" string "it's \\"quoted\\""
listen lists from web
    bind ipv6@[::1]:18445 ssl crt-list ${list}
    bind ${folder.path}/socket
frontend pass from raw
    bind :18446
    tcp-request inspect-delay 5s
    tcp-request content accept if { req.ssl_hello_type 1 }
frontend off from web
    bind :18447
    disabled
`;

describe("a configuration that the real HAProxy takes", () => {
  const files = folderOf({ "haproxy.cfg": CONFIG });
  afterAll(files.close);

  it("is taken", () => {
    writeFileSync(list, LIST);
    const { status, stderr } = spawnSync("haproxy", ["-c", "-f", join(files.path, "haproxy.cfg")], { encoding: "utf8" });
    expect(stderr).not.toContain("ALERT");
    expect(status).toBe(0);
  });

  it("is read", async () => {
    const reading = await readHaproxy({ path: "lb/haproxy.cfg", text: CONFIG }, async (path) => [
      { path, text: readFileSync(path, "utf8") },
    ]);
    const [www, shop] = [`${folder.path}/pem/www.pem`, `${folder.path}/pem/shop #1.pem`];
    const [certs, a] = [`${folder.path}/certs/`, `${folder.path}/certs/a.pem`];
    expect(shortly(reading)).toEqual([
      `https://* * 18443 sni ${www},${shop}`,
      `https://* :: 18443 sni ${www},${shop}`,
      `https://* 127.0.0.1 18444 ${certs}`,
      "http://* * 18080",
      "http://* * 18081",
      `https://* ::1 18445 ${www}`,
      `https://a.example.com ::1 18445 sni ${a}`,
      `https://*.a.example.com ::1 18445 sni ${a}`,
    ]);
    expect(reading.files).toEqual([www, shop, certs, a]);
    expect(reading.evidence.bindings?.bindings[0]?.site).toBe("web-server");
    expect(reading.evidence.listeners?.map(({ endpoint, protocol, proxyProtocol }) => [endpoint.port, protocol, proxyProtocol])).toEqual([
      [18443, "https", true],
      [18443, "https", true],
      [18444, "https", false],
      [18080, "http", false],
      [18081, "http", false],
      [18445, "https", false],
    ]);
    expect(reading.evidence.protocols).toEqual([
      { protocol: "TLS 1.0", enabled: false, source: "lb/haproxy.cfg:17" },
      { protocol: "TLS 1.1", enabled: false, source: "lb/haproxy.cfg:17" },
      { protocol: "TLS 1.2", enabled: true, source: "lb/haproxy.cfg:17" },
      { protocol: "TLS 1.3", enabled: true, source: "lb/haproxy.cfg:17" },
    ]);
    expect(reading.notes).toEqual([{ source: "lb/haproxy.cfg:24", text: "looks at the name and passes TLS on: dial the servers behind" }]);
  });
});

const front = (bind: string): string => `defaults\n mode http\nfrontend f\n ${bind}\n`;
test.each<[string, string, readonly string[]]>([
  [
    "the last defaults before it give a frontend its mode",
    `defaults\n mode http\nfrontend a\n bind :80\ndefaults\n mode tcp\nfrontend b\n bind :81`,
    ["http://* * 80"],
  ],
  ["TLS in mode tcp is TLS all the same", "frontend a\n bind :993 ssl crt /m.pem", ["https://* * 993 /m.pem"]],
  ["defaults of defaults", "defaults a\n mode http\ndefaults b from a\n retries 1\nlisten x from b\n bind :80", ["http://* * 80"]],
  ["all addresses of both families in one", front("bind :::443 v4v6 ssl crt /a.pem"), ["https://* * 443 /a.pem"]],
  [
    "quotes within words, escapes, line ends of Windows",
    front('bind 10.0.0.4:443 ssl crt /etc/"a b"/c\\ d.pem\r'),
    ["https://* 10.0.0.4 443 /etc/a b/c d.pem"],
  ],
  ["QUIC, sockets and descriptors are left out", front("bind quic4@:443,fd@3,abns@x,/run/s,:80"), ["http://* * 80"]],
  ["values that look like options", front("bind :80 name ssl interface crt user strict-sni"), ["http://* * 80"]],
])("reads %s", async (_name, text, bindings) => {
  expect(shortly(await read(text))).toEqual(bindings);
});

test.each([
  ["bind :443 ssl crt /a ssl-min-ver TLSv1.0", [true, true, true, true]],
  ["bind :443 ssl crt /a force-tlsv13", [false, false, false, true]],
  ["bind :443 ssl crt /a no-tlsv13", [false, false, true, false]],
  ["bind :443 ssl crt /a", undefined],
])("versions of %s", async (bind, enabled) => {
  expect((await read(front(bind))).evidence.protocols?.map((each) => each.enabled)).toEqual(enabled);
});

test("tells what it could not follow", async () => {
  const { notes, files } = await read(
    `.if defined(X)\ndefaults\n mode http\n.endif\nfrontend f\n bind "$ADDRESS:443" ssl crt /a\n bind :443 ssl crt @web/a crt "/etc/\${NAME}.pem" crt-list /gone\n bind nowhere:443`,
  );
  expect(files).toEqual([]);
  expect(notes.map(({ source, text }) => `${source} ${text}`)).toEqual([
    "haproxy.cfg:1 conditions are not evaluated: all branches are read",
    "haproxy.cfg:6 bind: $ADDRESS:443 depends on the environment",
    "haproxy.cfg:7 crt @web/a: sections crt-store are not followed",
    "haproxy.cfg:7 crt /etc/${NAME}.pem: depends on the environment",
    "haproxy.cfg:7 crt-list /gone was not there to be read",
    "haproxy.cfg:8 bind: nowhere:443 is not an address and a port",
  ]);
});

test("names in a list that are none", async () => {
  const { notes } = await read(front("bind :443 ssl crt-list /l"), { "/l": "\n/a.pem a..b\n" });
  expect(notes).toEqual([{ source: "/l:2", text: "a..b is not a name that can be listed" }]);
});

test("ends with an error where places and names multiply", async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `h${index}.example`).join(" ");
  await expect(read(front("bind :1-1000 ssl crt-list /l"), { "/l": `/a.pem ${names}` })).rejects.toThrow("more than 400000 bindings");
});

test.each([
  ["a quote that is not closed", 'global\n log "127.0.0.1', 2, 'a quote (") is not closed'],
  ["a line before any section", "mode http", 1, '"mode" stands before any section'],
  ["a bind of nothing", "frontend a\n bind", 2, "bind names no address"],
])("refuses %s, as HAProxy does, with the line", async (_name, text, line, problem) => {
  const files = folderOf({ "haproxy.cfg": `${text}\n` });
  try {
    expect(spawnSync("haproxy", ["-c", "-f", join(files.path, "haproxy.cfg")]).status).toBe(1);
  } finally {
    files.close();
  }
  await expect(read(text)).rejects.toThrow(
    expect.objectContaining({ code: "PEER_CONFIG_INVALID", message: `haproxy.cfg:${line}: ${problem}` }),
  );
});

test("any text gives a reading or a typed error", async () => {
  const piece = constantFrom(
    "frontend",
    "defaults",
    "from",
    "bind",
    "*:443",
    "ssl",
    "crt",
    "crt-list",
    "'",
    '"',
    "\\",
    "\\x41",
    "#",
    "\n",
    " ",
    "$A",
    "mode",
    "http",
    "a",
    "\0",
    ".if",
  );
  const text = oneof(
    string({ unit: "binary", maxLength: 80 }),
    array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
  );
  await assert(
    asyncProperty(text, async (input) => {
      const outcome = await readHaproxy({ path: "x", text: `frontend a\n${input}` }, nothing).catch((thrown: unknown) => thrown);
      if (outcome instanceof Error && !(outcome instanceof FarmError && outcome.code === "PEER_CONFIG_INVALID")) throw outcome;
    }),
    { numRuns: 200 },
  );
});
