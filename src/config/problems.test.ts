import { describe, expect, it } from "vitest";

import { parseFarmConfig } from "./parse-farm-config.ts";

const NODE = "farm: shop\nnodes: [{ name: web1, address: 10.0.0.4 }]\n";
const BALANCED = `${NODE}balancer: { address: 10.0.0.100 }\n`;
const WWW = "sites: [{ name: www, bindings: [https://www.example.com], content: www }]\n";

/** A site in one line. */
const site = (name: string, bindings: string, rest = `content: ${name}`): string =>
  `  - { name: ${name}, bindings: [${bindings}], ${rest} }\n`;
const sites = (...list: string[]): string => `${NODE}sites:\n${list.join("")}`;

/** Problems as `line:column severity path: message [suggestion]`. */
function problems(yaml: string): string[] {
  const reading = parseFarmConfig(yaml);
  const list = reading.kind === "valid" ? reading.warnings : reading.problems;
  return list.map(
    ({ line, column, severity, path, message, suggestion }) =>
      `${line}:${column} ${severity} ${path}: ${message}${suggestion === undefined ? "" : ` [${suggestion}]`}`,
  );
}

describe("shape", () => {
  it.each([
    ["a missing key, at the map it should be in", "nodes: [{ name: web1 }]\n", ['1:1 error farm: missing key "farm"']],
    ["a key without a value", `farm:\nnodes: [{ name: web1 }]\n`, ["1:6 error farm: expected a name, found nothing"]],
    [
      "text for a number",
      "farm: a\nnodes: [{ name: web1, weight: lots }]\n",
      ['2:31 error nodes[0].weight: expected a number, found "lots"'],
    ],
    ["a fraction", "farm: a\nnodes: [{ name: web1, weight: 1.5 }]\n", ["2:31 error nodes[0].weight: expected a whole number, found 1.5"]],
    [
      "a number out of bounds",
      "farm: a\nnodes: [{ name: web1, weight: -1 }]\n",
      ["2:31 error nodes[0].weight: must be 0 or more, found -1"],
    ],
    [
      "a word that is nearly one of the choices",
      "farm: a\nnodes: [{ name: web1, reconcile: obsevre }]\n",
      ['2:34 error nodes[0].reconcile: expected one of mend, observe, found "obsevre" [observe]'],
    ],
    ["a map for a list", "farm: a\nnodes: { name: web1 }\n", ["2:8 error nodes: expected a list, found a map"]],
    ["an empty list", "farm: a\nnodes: []\n", ["2:8 error nodes: needs at least 1"]],
    [
      "a number for a duration",
      `${NODE}limits: { idleTimeout: 30 }\n`,
      ["3:24 error limits.idleTimeout: expected a duration such as 30s, 5m or 1y, found 30"],
    ],
    [
      "a duration without a unit",
      `${NODE}limits: { idleTimeout: "30" }\n`,
      ['3:24 error limits.idleTimeout: "30" is not a duration: write a whole number and ms, s, m, h, d, w or y, such as 30s'],
    ],
    [
      "a duration out of bounds",
      `${NODE}limits: { handshakeTimeout: 1h }\n`,
      ["3:29 error limits.handshakeTimeout: 1h is out of bounds: 100ms to 2m"],
    ],
    [
      "a size in small letters",
      `${NODE}limits: { maxBodySize: 10mb }\n`,
      ['3:24 error limits.maxBodySize: "10mb" is not a size: write a whole number and B, kB, MB, GB, KiB, MiB or GiB, such as 64KiB'],
    ],
    [
      "a header name with a colon",
      `${NODE}limits: { nodeHeader: "X-Node:" }\n`,
      ['3:23 error limits.nodeHeader: "X-Node:" is not a header name'],
    ],
    [
      "an address that is none",
      "farm: a\nnodes: [{ name: web1, address: 10.0.0.400 }]\n",
      ['2:32 error nodes[0].address: "10.0.0.400" is not an IP address'],
    ],
    [
      "an endpoint without a port",
      "farm: a\nnodes: [{ name: web1, health: 10.0.0.4 }]\n",
      ['2:31 error nodes[0].health: "10.0.0.4" is not IP:PORT, such as 10.0.0.4:8081 or [2001:db8::4]:8081'],
    ],
    [
      "a name that would leave its folder",
      "farm: ../a\nnodes: [{ name: web1 }]\n",
      [expect.stringMatching(/^1:7 error farm: "..\/a" is not a name/)],
    ],
    [
      "a port that is none, on the left",
      "farm: a\nnodes: [{ name: web1, ports: { 99999: 80 } }]\n",
      ["2:39 error nodes[0].ports.99999: 99999 is not a port: 1 to 65535"],
    ],
    [
      "a word for a port, on the left",
      "farm: a\nnodes: [{ name: web1, ports: { https: 80 } }]\n",
      ["2:39 error nodes[0].ports.https: is not a port: 1 to 65535"],
    ],
    [
      "a port that is none, on the right",
      "farm: a\nnodes: [{ name: web1, ports: { 443: 0 } }]\n",
      ["2:37 error nodes[0].ports.443: must be 1 or more, found 0"],
    ],
    [
      "a range that is none",
      `${NODE}balancer: { address: 10.0.0.100, trustedBy: [10.0.0.0/33] }\n`,
      ['3:46 error balancer.trustedBy[0]: "10.0.0.0/33" is not an address or a range such as 10.0.0.0/24'],
    ],
    ["an old TLS version", `${NODE}tls: { minVersion: 1.1 }\n`, ["3:20 error tls.minVersion: expected one of 1.2, 1.3, found 1.1"]],
    ["an unknown protocol", `${NODE}tls: { alpn: [h3] }\n`, ['3:15 error tls.alpn[0]: expected one of h2, http/1.1, found "h3" [h2]']],
    [
      "an unknown key of a map with a short form too",
      sites(site("www", "https://www.example.com", "proxy: { upstreams: [http://10.0.0.9], timeOut: 3s }")),
      ['4:94 error sites[0].proxy.timeOut: unknown key "timeOut" [timeout]'],
    ],
    [
      "neither of two forms",
      sites(site("www", "https://www.example.com", "content: [www]")),
      ["4:64 error sites[0].content: expected the name of a content folder or a map, found a list"],
    ],
    [
      "a number where a binding should be",
      sites(site("www", "443")),
      ["4:29 error sites[0].bindings[0]: expected text or a map, found 443"],
    ],
    [
      "a status that redirects nothing",
      sites(site("www", "https://www.example.com", "redirect: { to: https://a.example, status: 200 }")),
      ["4:98 error sites[0].redirect.status: expected one of 301, 302, 303, 307, 308, found 200"],
    ],
  ])("tells %s", (_, yaml, expected) => expect(problems(yaml)).toEqual(expected));
});

describe("bindings", () => {
  const first = (binding: string): string | undefined =>
    problems(sites(site("www", binding)))
      .find((each) => each.includes(" error "))
      ?.replace(/^4:\d+ error /, "");

  it.each([
    ["a path", "https://www.example.com/shop", /^sites\[0\]\.bindings\[0\]: .* is not a binding: write https:\/\/HOST/],
    ["another scheme", "ftp://www.example.com", /is not a binding/],
    ["a host alone", "www.example.com", /is not a binding/],
    ["nothing behind the scheme", "https://", /"" is not a host name/],
    ["credentials", "https://me:secret@www.example.com", /is not a binding/],
    ["a port of 0", "https://www.example.com:0", /"0" is not a port/],
    ["a port without digits", '"https://www.example.com:"', /"" is not a port/],
    ["an address", "https://10.0.0.4:8443", /write \{ protocol: https, address: "10.0.0.4", port: 8443 \}/],
    ["an IPv6 address", '"https://[2001:db8::4]"', /address: "\[2001:db8::4\]"/],
    ["a wildcard inside", "https://www.*.example.com", /`\*` stands for the whole first label only/],
    ["part of a label as wildcard", "https://w*.example.com", /`\*` stands for the whole first label only/],
    ["two wildcards", "https://*.*.example.com", /`\*` stands for the whole first label only/],
    ["a label that is too long", `https://${"a".repeat(64)}.example.com`, /is not a host name/],
    ["a way out of a folder", "https://..", /is not a host name/],
    ["a URL as host", "{ host: https://www.example.com }", /^sites\[0\]\.bindings\[0\]\.host: .* is a URL: write the host name alone/],
    ["a port in the host", '{ host: "www.example.com:443" }', /has a port: write it as `port`/],
    ["an address as host", "{ host: 10.0.0.4 }", /is an address: write `address: 10\.0\.0\.4`/],
    [
      "central certificates without a host",
      "{ protocol: https }",
      /^sites\[0\]\.bindings\[0\]\.host: central certificates are chosen by host name/,
    ],
    ["SNI on http", "{ protocol: http, host: a.example, sni: true }", /^sites\[0\]\.bindings\[0\]\.sni: an http binding has no SNI/],
    [
      "a certificate on http",
      "{ protocol: http, host: a.example, certificate: a.pfx }",
      /\.certificate: an http binding has no certificate/,
    ],
    [
      "a named certificate by SNI without a host",
      "{ sni: true, certificate: a.pfx }",
      /\.sni: a named certificate with SNI needs a `host`/,
    ],
    [
      "a certificate of another kind",
      "{ host: a.example, certificate: a.txt }",
      /\.certificate: "a\.txt" is not a certificate file: it must end with \.pfx/,
    ],
    ["a certificate elsewhere", "{ host: a.example, certificate: ../a.pfx }", /\.certificate: "\.\.\/a\.pfx" must be one name/],
    ["a certificate by drive", "{ host: a.example, certificate: 'C:a.pfx' }", /must not have control characters or/],
  ])("refuses %s", (_, binding, expected) => expect(first(binding)).toMatch(expected));

  it.each([
    ["https://www.example.com", { protocol: "https", address: "*", port: 443, host: "www.example.com", sni: true, certificate: "central" }],
    [
      "HTTPS://WWW.Example.COM./",
      { protocol: "https", address: "*", port: 443, host: "www.example.com", sni: true, certificate: "central" },
    ],
    [
      "https://münchen.example:8443",
      { protocol: "https", address: "*", port: 8443, host: "xn--mnchen-3ya.example", sni: true, certificate: "central" },
    ],
    [
      "https://*.shop.example.com",
      { protocol: "https", address: "*", port: 443, host: "*.shop.example.com", sni: true, certificate: "central" },
    ],
    ["https://*", { protocol: "https", address: "*", port: 443, sni: true, certificate: "central" }],
    ["http://*:8080", { protocol: "http", address: "*", port: 8080, sni: false, certificate: "central" }],
    ["{ host: '*' }", { protocol: "https", address: "*", port: 443, sni: true, certificate: "central" }],
    [
      "{ host: a.example, certificate: central }",
      { protocol: "https", address: "*", port: 443, host: "a.example", sni: true, certificate: "central" },
    ],
    [
      "{ host: a.example, certificate: A.PFX }",
      { protocol: "https", address: "*", port: 443, host: "a.example", sni: true, certificate: { file: "A.PFX" } },
    ],
    [
      "{ certificate: a.pfx, address: '[2001:DB8::4]' }",
      { protocol: "https", address: "2001:db8::4", port: 443, sni: false, certificate: { file: "a.pfx" } },
    ],
    ["{ protocol: http, address: 10.0.0.4 }", { protocol: "http", address: "10.0.0.4", port: 80, sni: false, certificate: "central" }],
  ])("reads %s", (binding, expected) => {
    const reading = parseFarmConfig(sites(site("www", binding)));
    expect(reading.kind === "valid" && reading.config.sites[0]?.bindings).toEqual([expected]);
  });
});

describe("what does not fit together", () => {
  const twoSites = (...bindings: readonly [string, string]): string => sites(site("a", bindings[0]), site("b", bindings[1]));

  it.each<[string, string, (string | RegExp)[]]>([
    [
      "two nodes of one name",
      `farm: a\nnodes: [{ name: web1 }, { name: WEB1 }]\n${WWW}`,
      ["2:33 error nodes[1].name: the name WEB1 is taken by nodes[0]"],
    ],
    [
      "two sites of one name",
      twoSites("https://a.example", "https://b.example").replace("name: b", "name: a"),
      ["5:13 error sites[1].name: the name a is taken by sites[0]"],
    ],
    [
      "one host in two sites",
      twoSites("https://a.example", "https://A.example"),
      ["5:27 error sites[1].bindings[0]: https://a.example is bound by site a already: port and host must be of one site"],
    ],
    [
      "one host in two sites on two addresses",
      twoSites("{ host: a.example, address: 10.0.0.4 }", "https://a.example"),
      [/5:27 error .* is bound by site a already/],
    ],
    [
      "any host in two sites",
      twoSites("https://*", "https://*"),
      [/5:27 error sites\[1\]\.bindings\[0\]: https:\/\/\* is bound by site a already/],
    ],
    [
      "one binding twice in a site",
      sites(site("a", "https://a.example, { host: a.example, address: 10.0.0.4 }, https://a.example")),
      ["4:86 error sites[0].bindings[2]: https://a.example is written twice in site a"],
    ],
    [
      "http and https on one port",
      twoSites("https://a.example:8443", "http://b.example:8443"),
      [
        "5:5 warning sites[1]: site b has no https binding",
        "5:27 error sites[1].bindings[0]: port 8443 is https in site a and cannot be http too",
      ],
    ],
    [
      "two certificates for one address",
      sites(site("a", "{ certificate: a.pfx, address: 10.0.0.4 }, { certificate: b.pfx, address: 10.0.0.4, host: b.example, sni: false }")),
      [/4:70 error sites\[0\]\.bindings\[1\]: .*a\.pfx and b\.pfx/],
    ],
    [
      "a certificate for an address that hides others there",
      twoSites("{ host: a.example, address: 10.0.0.4 }", "{ certificate: b.pfx, address: 10.0.0.4, sni: false, host: b.example }"),
      [/5:27 error sites\[1\]\.bindings\[0\]: .*b\.pfx/],
    ],
    [
      "a site that does nothing",
      sites("  - { name: a, bindings: [https://a.example] }\n"),
      ["4:5 error sites[0]: site a does nothing: give it one of content, proxy or redirect"],
    ],
    [
      "a site that does two things",
      sites(site("a", "https://a.example", "content: a, proxy: http://10.0.0.9")),
      ["4:66 error sites[0].proxy: site a has content and proxy: keep one of them"],
    ],
    [
      "hsts without https",
      sites(site("a", "http://a.example", "content: a, hsts: 1y")),
      [
        "4:5 warning sites[0]: site a has no https binding",
        "4:64 error sites[0].hsts: hsts is sent on https only, and site a has no https binding",
      ],
    ],
    [
      "minVersion above maxVersion",
      `${NODE}tls: { minVersion: 1.3, maxVersion: 1.2 }\n`,
      ["3:20 error tls.minVersion: minVersion 1.3 is above maxVersion 1.2"],
    ],
    [
      "a maxVersion below the farm's minVersion",
      `${NODE}tls: { minVersion: "1.3" }\nsites:\n${site("a", "https://a.example", 'content: a, tls: { maxVersion: "1.2" }')}`,
      ["5:78 error sites[0].tls.maxVersion: minVersion 1.3 is above maxVersion 1.2"],
    ],
    [
      "client certificates without authorities",
      `${NODE}tls: { clientCertificates: require }\n`,
      [/3:28 error tls\.clientCertificates: client certificates need `clientCa`/],
    ],
    [
      "authorities of another kind",
      `${NODE}tls: { clientCertificates: require, clientCa: staff.pfx }\n`,
      ['3:47 error tls.clientCa: "staff.pfx" is not a file of authorities in PEM form: it must end with .pem, .crt, .cer'],
    ],
    ["a protocol twice", `${NODE}tls: { alpn: [h2, h2] }\n`, ["3:14 error tls.alpn: a protocol is named twice"]],
    [
      "a content folder elsewhere",
      sites(site("a", "https://a.example", "content: ../b")),
      ['4:56 error sites[0].content: "../b" must be one name, without / or \\'],
    ],
    [
      "an upstream with a path",
      sites(site("a", "https://a.example", "proxy: http://10.0.0.9/app")),
      [/4:54 error sites\[0\]\.proxy: .* must be scheme, host and port only/],
    ],
    [
      "an upstream with a password, which is not repeated",
      sites(site("a", "https://a.example", "proxy: http://me:hunter2@10.0.0.9")),
      ["4:54 error sites[0].proxy: a URL must not carry a user name or password"],
    ],
    [
      "an upstream that is no URL",
      sites(site("a", "https://a.example", "proxy: { upstreams: [10.0.0.9:80] }")),
      ['4:68 error sites[0].proxy.upstreams[0]: "10.0.0.9:80" is not a URL such as http://10.0.1.5:8080'],
    ],
    [
      "a redirect to itself",
      sites(site("a", "https://a.example", "redirect: https://a.example/new")),
      ["4:57 error sites[0].redirect: the redirect never ends: https://a.example/new is answered by site a"],
    ],
    [
      "two redirects to each other",
      sites(site("a", "https://a.example", "redirect: https://b.example"), site("b", "https://b.example", "redirect: https://a.example")),
      [
        /^4:57 error sites\[0\]\.redirect: the redirect never ends: .* site b, then site a$/,
        /^5:57 error sites\[1\]\.redirect: the redirect never ends/,
      ],
    ],
    [
      "a redirect into two that go round",
      sites(
        site("c", "https://c.example", "redirect: https://a.example"),
        site("a", "https://a.example", "redirect: https://b.example"),
        site("b", "https://b.example", "redirect: https://a.example"),
      ),
      [/^4:57 error/, /^5:57 error/, /^6:57 error/],
    ],
    ["a redirect to another scheme", sites(site("a", "https://a.example", "redirect: ftp://b.example")), [/4:57 error .* is not a URL/]],
    [
      "a query that keeps a path",
      sites(site("a", "https://a.example", 'redirect: "https://b.example/?a=1"')),
      [/4:57 error .*write keepPath: false/],
    ],
    [
      "address and addresses",
      "farm: a\nnodes: [{ name: web1, address: 10.0.0.4, addresses: [10.0.0.5] }]\n",
      ["2:32 error nodes[0].address: write address or addresses, not both"],
    ],
    [
      "an address twice",
      "farm: a\nnodes: [{ name: web1, addresses: [10.0.0.4, 10.0.0.4] }]\n",
      ["2:34 error nodes[0].addresses: the address 10.0.0.4 is named twice"],
    ],
    [
      "two nodes on one address and port",
      `farm: a\nnodes: [{ name: web1, address: 127.0.0.1 }, { name: web2, address: 127.0.0.1, health: "127.0.0.1:8091" }]\n${WWW}`,
      [
        "2:45 error nodes[1]: 127.0.0.1:443 is listened on twice: by node web1 for port 443 of bindings, and by node web2 for port 443 of bindings",
      ],
    ],
    [
      "two ports of a node in one",
      `farm: a\nnodes: [{ name: web1, ports: { 443: 8443 } }]\nsites:\n${site("a", "https://a.example, https://a.example:8443")}`,
      [/2:9 error nodes\[0\]: 0\.0\.0\.0:8443 is listened on twice/],
    ],
    [
      "health on a port that sites have",
      `farm: a\nnodes: [{ name: web1, health: "10.0.0.4:443" }]\n${WWW}`,
      ["2:31 error nodes[0].health: 10.0.0.4:443 is listened on twice: by node web1 for port 443 of bindings, and by node web1 for health"],
    ],
    [
      "the balancer on a node's port",
      `${NODE}balancer: { address: 10.0.0.4 }\n${WWW}`,
      [
        "3:11 error balancer.ports: 10.0.0.4:443 is listened on twice: by node web1 for port 443 of bindings, and by the balancer for port 443 of bindings",
      ],
    ],
    [
      "a balancer that misses a port",
      `${NODE}balancer: { address: 10.0.0.100, ports: { 80: 80 } }\n${WWW}`,
      ["3:41 error balancer.ports: port 443 is bound by sites and missing here", "3:47 warning balancer.ports.80: no site binds port 80"],
    ],
    [
      "a balancer that cannot dial a node",
      `farm: a\nnodes: [{ name: web1 }]\nbalancer: { address: 10.0.0.100 }\n${WWW}`,
      ["2:9 error nodes[0]: the balancer needs an address to dial: give node web1 an `address`"],
    ],
    [
      "a balancer on all addresses that nobody would trust",
      `${NODE}balancer: { health: "10.0.0.100:8082" }\n${WWW}`,
      [/3:11 error balancer: say in `trustedBy`/],
    ],
    [
      "nodes that all have weight 0",
      `${BALANCED.replace("10.0.0.4 }", "10.0.0.4, weight: 0 }")}${WWW}`,
      [/2:8 error nodes: every node has weight 0/],
    ],
  ])("refuses %s", (_, yaml, expected) => {
    const found = problems(yaml);
    expect(found).toEqual(expected.map((each) => (typeof each === "string" ? each : expect.stringMatching(each))));
    expect(parseFarmConfig(yaml).kind).toBe("invalid");
  });

  it.each<[string, string, (string | RegExp)[]]>([
    ["a farm that is in order", `${BALANCED}${WWW}`, []],
    ["nodes on machines of their own", `farm: a\nnodes: [{ name: web1 }, { name: web2 }]\n${WWW}`, []],
    [
      "nodes of one machine on ports of their own",
      `farm: a\nnodes: [{ name: web1, address: 127.0.0.1, ports: { 443: 8441 } }, { name: web2, address: 127.0.0.1, ports: { 443: 8442 }, health: "127.0.0.1:8091" }]\n${WWW}`,
      [],
    ],
    [
      "a redirect from one name of a farm to another",
      sites(
        site("a", "https://a.example, http://a.example, http://www.a.example", "redirect: https://www.a.example"),
        site("w", "https://www.a.example"),
      ),
      [],
    ],
    ["a site without https", sites(site("a", "http://a.example")), ["4:5 warning sites[0]: site a has no https binding"]],
    [
      "a redirect to https that does not exist",
      sites(site("a", "http://a.example", "content: a, redirectToHttps: true")),
      [/warning sites\[0\]: site a has no https/, /4:75 warning sites\[0\]\.redirectToHttps: site a has no https binding to redirect to/],
    ],
    [
      "a redirect from http that does not exist",
      sites(site("a", "https://a.example", "content: a, redirectToHttps: true")),
      [/4:76 warning sites\[0\]\.redirectToHttps: site a has no http binding to redirect from/],
    ],
    [
      "preload that the lists refuse",
      sites(site("a", "https://a.example", "content: a, hsts: { maxAge: 30d, preload: true }")),
      [/warning sites\[0\]\.hsts: preload lists take only/],
    ],
    [
      "authorities without client certificates",
      `${NODE}tls: { clientCa: staff.pem }\n`,
      ["3:18 warning tls.clientCa: has no effect: clientCertificates is none"],
    ],
    ["h2 behind http/1.1", `${NODE}tls: { alpn: [http/1.1, h2] }\n`, [/3:14 warning tls\.alpn: h2 is never agreed on/]],
    [
      "SNI that is not required from central certificates",
      sites(site("a", "{ host: a.example, sni: false }")),
      [/4:27 warning sites\[0\]\.bindings\[0\]: .*do not require SNI/],
    ],
    [
      "a certificate for an address that may hide others",
      sites(site("a", "https://a.example"), site("b", "{ certificate: b.pfx, address: 10.0.0.4, host: b.example, sni: false }")),
      [/5:27 warning sites\[1\]\.bindings\[0\]: Clients that reach 10\.0\.0\.4 get b\.pfx/],
    ],
    [
      "an address that no node has",
      sites(site("a", "{ host: a.example, address: 10.0.0.9 }")),
      ["4:27 warning sites[0].bindings[0]: no node has the address 10.0.0.9"],
    ],
    [
      "a mapped port that nobody binds",
      `farm: a\nnodes: [{ name: web1, ports: { 444: 8443 } }]\n${WWW}`,
      ["2:37 warning nodes[0].ports.444: no site binds port 444"],
    ],
    [
      "an upstream twice",
      sites(site("a", "https://a.example", "proxy: { upstreams: [http://10.0.0.9, http://10.0.0.9/] }")),
      [/warning sites\[0\]\.proxy: the upstream http:\/\/10\.0\.0\.9 is named twice/],
    ],
    [
      "an upstream that is the farm",
      sites(site("a", "https://a.example", "proxy: https://10.0.0.4")),
      [/warning sites\[0\]\.proxy: the upstream https:\/\/10\.0\.0\.4 is this farm itself/],
    ],
    ["an upstream that is the site", sites(site("a", "https://a.example", "proxy: https://a.example")), [/is this farm itself/]],
  ])("takes %s, with a warning where one is due", (_, yaml, expected) => {
    expect(problems(yaml)).toEqual(expected.map((each) => (typeof each === "string" ? each : expect.stringMatching(each))));
    expect(parseFarmConfig(yaml).kind).toBe("valid");
  });
});

it("lists a thousand problems, and says how many more there are", () => {
  const found = problems(`${NODE}sites:\n${Array.from({ length: 3_000 }, (_, at) => site(`s${at}`, "ftp://x")).join("")}`);
  expect(found).toHaveLength(1_000);
  expect(found.at(-1)).toMatch(/and 2001 more problems from here on$/);
});
