import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import type { HostPattern, IpAddress } from "../base/index.ts";
import { parseFarmConfig } from "../config/parse-farm-config.ts";
import type { NodeEvidence } from "../doctor/index.ts";
import type { ApplicationHost, IisBinding, IisSite } from "./application-host.ts";
import { importIis } from "./import.ts";
import { readApplicationHost } from "./read-application-host.ts";

const binding = (information: string, sslFlags?: number): string =>
  sslFlags === undefined
    ? `<binding protocol="http" bindingInformation="${information}" />`
    : `<binding protocol="https" bindingInformation="${information}" sslFlags="${sslFlags}" />`;
const site = (name: string, bindings: readonly string[], more = ""): string =>
  `<site name="${name}" id="1">
<application path="/" applicationPool="${name}"><virtualDirectory path="/" physicalPath="D:\\${name}" /></application>
<bindings>${bindings.join("")}</bindings>${more}</site>`;
const read = (sites: readonly string[], more = ""): ApplicationHost =>
  readApplicationHost(
    `<configuration><system.applicationHost><sites>\n${sites.join("\n")}\n</sites></system.applicationHost>${more}</configuration>`,
    "applicationHost.config",
  );
const sitesOf = (yaml: string): string => yaml.slice(yaml.indexOf("sites:"));
const texts = (notes: readonly { readonly text: string }[]): readonly string[] => notes.map(({ text }) => text);

function expectValid(yaml: string): void {
  const reading = parseFarmConfig(yaml);
  expect(reading.kind === "invalid" ? reading.problems : []).toEqual([]);
}

test("a farm of central certificates becomes one of short bindings", () => {
  const { yaml, notes } = importIis(
    read(
      [
        site("Shop", [binding("*:443:www.example.com", 3), binding("*:80:www.example.com"), binding("*:8443:*.example.com", 3)]),
        site("old shop", [binding("*:443:old.example.com", 3)]),
      ],
      `<location path="old shop"><system.webServer><httpRedirect enabled="true" destination="https://www.example.com" httpResponseStatus="Permanent" /></system.webServer></location>`,
    ),
    [
      { name: "WEB1", evidence: { make: "iis", source: "web1.json" } },
      { name: "web2", evidence: { make: "iis", source: "web2.json" } },
    ],
  );
  expect(yaml).toBe(`farm: farm
nodes:
  - name: web1
  - name: web2
sites:
  - name: Shop
    bindings:
      - https://www.example.com
      - http://www.example.com
      - https://*.example.com:8443
    content: shop
  - name: old-shop
    bindings:
      - https://old.example.com
    redirect: { to: "https://www.example.com", status: 301, keepPath: true }
`);
  expectValid(yaml);
  expect(notes.map(({ line, text }) => `${line} ${text}`)).toEqual([
    "3 Shop: application pool Shop has no counterpart: certfarm runs no code of applications",
    "3 Shop: copy D:\\Shop to content/shop, or write `proxy:` when an application answers",
    "5 old shop is named old-shop here",
    "6 old shop: application pool old shop has no counterpart: certfarm runs no code of applications",
  ]);
});

const evidence: NodeEvidence = {
  make: "iis",
  source: "web1.json",
  table: {
    source: "netsh",
    unread: [],
    rows: [
      { key: { kind: "ip", address: "10.0.0.4" as IpAddress, port: 443 }, thumbprint: "AA", storeName: "WebHosting", options: {} },
      { key: { kind: "host", host: "www.example.com" as HostPattern, port: 443 }, thumbprint: "BB", options: {} },
    ],
  },
  certificates: [
    {
      source: "web1.json",
      store: "WebHosting",
      thumbprint: "AA",
      subject: "CN=legacy.example.com",
      issuer: "CN=CA",
      dnsNames: ["legacy.example.com"],
      notBefore: 0 as never,
      notAfter: 0 as never,
    },
  ],
};

describe("certificates of the server's own store", () => {
  it("are named from evidence, with what is to be exported", () => {
    const { yaml, notes } = importIis(read([site("A", [binding("10.0.0.4:443:", 0), binding("*:443:www.example.com", 1)])]), [
      { name: "web1", evidence },
    ]);
    expectValid(yaml);
    expect(sitesOf(yaml))
      .toContain(`      - { protocol: https, port: 443, address: "10.0.0.4", sni: false, certificate: "legacy.example.com.pfx" }
      - https://www.example.com
`);
    expect(texts(notes)).toEqual(
      expect.arrayContaining([
        "https any host on 10.0.0.4:443: export CN=legacy.example.com, AA of LocalMachine\\WebHosting, with its key to certificates/legacy.example.com.pfx; without SNI it answers for every name there",
        "https www.example.com on port 443: export the certificate BB of LocalMachine\\My with its key to certificates/www.example.com.pfx",
      ]),
    );
  });

  it("are one for all bindings of a place", () => {
    const { yaml } = importIis(read([site("A", [binding("*:443:a.example.com", 0)]), site("B", [binding("*:443:b.example.com", 0)])]));
    expectValid(yaml);
    expect([...yaml.matchAll(/certificate: "([^"]+)"/g)].map((match) => match[1])).toEqual(["a.example.com.pfx", "a.example.com.pfx"]);
  });

  it("do not come to hide others, as they did", () => {
    const { yaml, notes } = importIis(
      read([
        site("A", [binding("10.0.0.4:443:", 0), binding("10.0.0.4:443:a.example.com", 0)]),
        site("B", [binding("10.0.0.4:443:b.example.com", 3)]),
      ]),
    );
    expectValid(yaml);
    expect(yaml).not.toContain("certificate:");
    expect(texts(notes).filter((text) => text.includes("hides"))).toEqual([
      "https any host on 10.0.0.4:443: its certificate answers for every name at that address and hides those of the other bindings there; it is left out",
      "https a.example.com on 10.0.0.4:443: its certificate answers for every name at that address and hides those of the other bindings there; here it is chosen by name",
    ]);
  });
});

test.each<[string, readonly string[], string, string]>([
  [
    "a port that speaks http and https",
    [site("A", [binding("*:443:a.example.com", 3), binding("10.0.0.9:443:")])],
    "https://a.example.com",
    "http any host on 10.0.0.9:443 is left out: port 443 speaks https, and a port speaks one protocol",
  ],
  [
    "a port and host of two sites",
    [site("A", [binding("10.0.0.4:80:")]), site("B", [binding("10.0.0.5:80:"), binding("*:80:b.example.com")])],
    "http://b.example.com",
    "http any host on 10.0.0.5:80 is left out: site A has that port and host; addresses do not tell sites apart",
  ],
  [
    "a binding twice, once as [::]",
    [site("A", [binding("*:80:"), binding("[::]:80:")])],
    "http://*",
    "http any host on port 80 is there already",
  ],
  [
    "central without SNI",
    [site("A", [binding("*:443:a.example.com", 2)])],
    "https://a.example.com",
    "https a.example.com on port 443: central without SNI; here the client must name the host",
  ],
  [
    "unknown bits",
    [site("A", [binding("*:443:a.example.com", 1027)])],
    "https://a.example.com",
    "sslFlags 1027: the bits of 1024 are not known and have no counterpart",
  ],
  [
    "a protocol of its own",
    [site("A", [binding("*:80:"), '<binding protocol="net.tcp" bindingInformation="808:*" />'])],
    "http://*",
    "binding net.tcp 808:*: only http and https have a counterpart",
  ],
  [
    "HTTP/2 off for one of two",
    [site("A", [binding("*:443:a.example.com", 7), binding("*:443:b.example.com", 3)])],
    "https://b.example.com",
    "A: HTTP/2 is off for 1 of 2 https bindings; here it is a setting of the site",
  ],
  [
    "QUIC and stapling",
    [site("A", [binding("*:443:a.example.com", 27)])],
    "https://a.example.com",
    "sslFlags 27: QUIC is off: certfarm does not speak it",
  ],
])("tells of %s", (_name, sites, written, note) => {
  const { yaml, notes } = importIis(read(sites));
  expectValid(yaml);
  expect(yaml).toContain(`- ${written}\n`);
  expect(texts(notes)).toContain(note);
});

test("redirects that lead back are broken: to https by redirectToHttps, others by files", () => {
  const redirect = (name: string, to: string): string =>
    `<location path="${name}"><system.webServer><httpRedirect enabled="true" destination="${to}" /></system.webServer></location>`;
  const { yaml, notes } = importIis(
    read(
      [
        site("A", [binding("*:80:a.example.com"), binding("*:443:a.example.com", 3)]),
        site("B", [binding("*:80:b.example.com")]),
        site("C", [binding("*:80:c.example.com")]),
        site("D", [binding("*:80:d.example.com")]),
      ],
      redirect("A", "https://a.example.com/") +
        redirect("B", "http://c.example.com") +
        redirect("C", "http://b.example.com") +
        redirect("D", "https://a.example.com"),
    ),
  );
  expect(parseFarmConfig(yaml).kind).toBe("valid");
  expect(sitesOf(yaml)).toContain(`    content: a
    redirectToHttps: true
`);
  expect(sitesOf(yaml)).toContain('redirect: { to: "http://b.example.com", status: 302, keepPath: true }');
  expect(sitesOf(yaml)).toContain('redirect: { to: "https://a.example.com", status: 302, keepPath: true }');
  expect(texts(notes).filter((text) => text.includes("leads back"))).toEqual([
    "A: the redirect to https://a.example.com/ leads back to the site; here `redirectToHttps` does it",
    "B: the redirect to http://c.example.com leads back to the site; here it serves content/b",
  ]);
});

test("settings of all bindings and of hsts become those of the site", () => {
  const { yaml } = importIis(
    read([
      site(
        "A",
        [binding("*:443:a.example.com", 39), binding("*:80:a.example.com")],
        '<hsts enabled="true" max-age="31536000" includeSubDomains="true" redirectHttpToHttps="true" />',
      ),
    ]),
  );
  expectValid(yaml);
  expect(sitesOf(yaml)).toContain(`    content: a
    redirectToHttps: true
    hsts: { maxAge: 31536000s, includeSubDomains: true, preload: false }
    tls: { alpn: [http/1.1], maxVersion: "1.2" }
`);
});

test("tells line by line what has no counterpart", () => {
  const more = `
<system.webServer>
<defaultDocument><files><add value="Default.htm" /><add value="default.aspx" /></files></defaultDocument>
<globalModules><add name="A" image="a" /><add name="B" image="b" /></globalModules>
<security><authentication><windowsAuthentication enabled="true" /><basicAuthentication enabled="false" /></authentication></security>
</system.webServer>
<location path="Shop"><system.webServer>
<security><access sslFlags="Ssl, SslNegotiateCert, SslRequireCert" /></security>
<httpRedirect enabled="true" destination="https://www.example.com$V" />
<rewrite><rules><rule name="r" /></rules></rewrite>
</system.webServer></location>`;
  const shop = `<site name="Shop"><application path="/"><virtualDirectory path="/" physicalPath="D:\\s" userName="FARM\\web" />
<virtualDirectory path="/img" physicalPath="D:\\i" /></application><application path="/api" applicationPool="Api" />
<bindings>${binding("*:443:www.example.com", 3)}</bindings></site>
<site name="Off" serverAutoStart="false"><bindings>${binding("*:80:")}</bindings></site>`;
  const { yaml, notes } = importIis(read([shop], more));
  expectValid(yaml);
  expect(yaml).toContain('content: { folder: shop, index: ["Default.htm"] }');
  expect(notes.map(({ line, text }) => `${line} ${text}`)).toEqual([
    "2 Shop: the account FARM\\web of a directory has no counterpart: every node has its own copy",
    "2 Shop: copy D:\\s to content/shop, or write `proxy:` when an application answers",
    "3 Shop: virtual directory /img (D:\\i) has no counterpart: copy it into the folder",
    "3 Shop: application /api has no counterpart: one site serves one folder",
    "3 Shop: application pool Api has no counterpart: certfarm runs no code of applications",
    "5 Off is left out: it does not start by itself",
    "8 the server: globalModules, security/authentication/basicAuthentication hold for every site and have no counterpart",
    "10 the server: security/authentication/windowsAuthentication has no counterpart",
    "13 Shop: access asks for client certificates (Ssl, SslNegotiateCert, SslRequireCert): write `tls.clientCertificates` and `clientCa`",
    "14 httpRedirect to https://www.example.com$V has no counterpart as it is; write `redirect:` by hand",
    "15 Shop: rewrite has no counterpart: rules that only redirect can be a `redirect:`, those that pass on a `proxy:`",
  ]);
});

const hosts = ["a.example.com", "b.example.com", "*.example.com", "xn--bcher-kva.example"];
const anyBinding: fc.Arbitrary<IisBinding> = fc
  .record({
    protocol: fc.constantFrom("http", "https", "net.tcp"),
    address: fc.constantFrom("*", "10.0.0.4", "::", "2001:db8::4"),
    port: fc.constantFrom(80, 443, 8443),
    host: fc.constantFrom(undefined, ...hosts),
    sslFlags: fc.nat(260),
    line: fc.nat(1000),
  })
  .map(({ host, address, ...rest }) => ({
    ...rest,
    information: "",
    address: address as IpAddress,
    ...(host === undefined ? {} : { host: host as HostPattern }),
  }));
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.constantFrom("true", "null", "1e3", "0x1", "CON", "a: b", "- x", "#", "\u2028", "Shop", "shop", "SHOP "),
);
const anySite: fc.Arbitrary<IisSite> = fc
  .record({
    name: anyText,
    autoStart: fc.constantFrom(true, true, true, false),
    bindings: fc.array(anyBinding, { maxLength: 5 }),
    path: anyText,
    hsts: fc.option(fc.record({ enabled: fc.constantFrom("true", "false"), "max-age": anyText, preload: fc.constantFrom("true", "no") }), {
      nil: undefined,
    }),
  })
  .map(({ path, hsts, ...rest }) => ({
    ...rest,
    applications: [{ path: "/", pool: path, directories: [{ path: "/", physicalPath: path, line: 1 }], line: 1 }],
    ...(hsts === undefined ? {} : { hsts }),
    line: 1,
  }));
const anyRedirect = fc.record({
  enabled: fc.constant("true"),
  destination: fc.oneof(
    anyText,
    fc.constantFrom("https://www.example.com/a?b", "http://u:p@x/", "https://b\u00fccher.example/ä", "https://x/\u0085"),
  ),
  httpResponseStatus: fc.constantFrom("Permanent", "Found", "307", "odd"),
  exactDestination: fc.constantFrom("true", "false"),
});

test("whatever the configuration says, the made farm.yaml is valid", () => {
  fc.assert(
    fc.property(fc.array(anySite, { maxLength: 5 }), anyRedirect, anyText, (sites, attributes, value) => {
      const { yaml } = importIis(
        {
          source: "x",
          digest: "",
          sites,
          locations: sites
            .slice(0, 2)
            .map(({ name }) => ({ path: name, line: 1, sections: [{ path: "system.webServer/httpRedirect", attributes, line: 1 }] })),
          sections: [{ path: "system.webServer/defaultDocument/files/add", attributes: { value }, line: 1 }],
          protectedBy: [],
          legacyBindingData: false,
          unread: [],
        },
        [
          { name: value, evidence },
          { name: value, evidence },
        ],
      );
      expectValid(yaml);
    }),
    { numRuns: 150 },
  );
});

test("says so when a farm is larger than a farm.yaml may be", () => {
  const many = Array.from({ length: 60_000 }, (_, index): IisSite => ({
    name: `site-${index}`,
    autoStart: true,
    bindings: [
      { protocol: "https", information: "", address: "*", port: 443, host: `h${index}.example.com` as HostPattern, sslFlags: 3, line: 1 },
    ],
    applications: [],
    line: 1,
  }));
  const host = {
    source: "big.config",
    digest: "",
    sites: many,
    locations: [],
    sections: [],
    protectedBy: [],
    legacyBindingData: false,
    unread: [],
  };
  expect(() => importIis(host)).toThrow(expect.objectContaining({ code: "IIS_INPUT_TOO_LARGE" }));
});
