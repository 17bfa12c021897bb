import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { FarmError } from "../base/index.ts";
import { bindingsEvidence, readApplicationHost } from "./read-application-host.ts";
import { readRedirection } from "./read-redirection.ts";

const SOURCE = "web1: applicationHost.config";

const SAMPLE = `<?xml version="1.0" encoding="UTF-8"?>
<!-- Written by a server. -->
<configuration>
  <configSections>
    <sectionGroup name="system.applicationHost">
      <section name="sites" allowDefinition="AppHostOnly" />
    </sectionGroup>
  </configSections>
  <configProtectedData>
    <providers>
      <add name="IISWASOnlyRsaProvider" type="" keyContainerName="iisWasKey" />
      <add name="AesProvider" sessionKey="AQIAAA5mAAAApAAA" />
    </providers>
  </configProtectedData>
  <system.applicationHost>
    <applicationPools>
      <add name="Shop"><processModel userName="FARM\\pool" password="[enc:IISWASOnlyAesProvider:c2VjcmV0:enc]" /></add>
    </applicationPools>
    <customMetadata>
      <key path="LM/W3SVC/1"><property id="5506" dataType="Binary" userType="1" attributes="None" value="oWmq" /></key>
    </customMetadata>
    <sites>
      <site name="Shop &amp; Co" id="2" serverAutoStart="false">
        <application path="/" applicationPool="Shop">
          <virtualDirectory path="/" physicalPath="D:\\shop" userName="FARM\\web" password="plain" />
          <virtualDirectory path="/img" physicalPath="\\\\files\\img" />
        </application>
        <bindings>
          <binding protocol="http" bindingInformation="*:80:shop.example.com" />
          <binding protocol="https" bindingInformation="*:443:shop.example.com" sslFlags="3" />
          <binding protocol="https" bindingInformation="10.0.0.4:443:" sslFlags="160" />
          <binding protocol="https" bindingInformation="[2001:DB8::4]:8443:*.example.com" sslFlags="1" />
          <binding protocol="net.tcp" bindingInformation="808:*" />
        </bindings>
      </site>
      <site name="Odd" id="x">
        <bindings>
          <binding protocol="https" bindingInformation="nonsense" />
          <binding protocol="https" bindingInformation="*:443:odd.example.com" sslFlags="many" />
        </bindings>
      </site>
      <siteDefaults serverAutoStart="true"><limits maxBandwidth="1" /></siteDefaults>
    </sites>
  </system.applicationHost>
  <system.webServer>
    <httpProtocol><customHeaders><add name="X-A" value="1" /></customHeaders></httpProtocol>
  </system.webServer>
  <location path="Shop &amp; Co/old">
    <system.webServer>
      <httpRedirect enabled="true" destination="https://shop.example.com/" />
      <aspNetCore processPath="dotnet"><environmentVariables><environmentVariable name="KEY" value="hidden" /></environmentVariables></aspNetCore>
    </system.webServer>
  </location>
</configuration>
`;

/** The line of the sample that holds this text. */
const lineOf = (text: string): number => SAMPLE.slice(0, SAMPLE.indexOf(text)).split("\n").length;

const read = (content: string | Uint8Array) => readApplicationHost(content, SOURCE);

const errorOf = (content: string | Uint8Array): FarmError => {
  try {
    read(content);
  } catch (thrown) {
    return thrown as FarmError; // the only kind that is thrown
  }
  throw new Error("it was read");
};

describe("readApplicationHost", () => {
  const host = read(SAMPLE);

  it("reads sites with their bindings, applications and virtual directories, each with its line", () => {
    expect(host.sites).toMatchObject([
      {
        name: "Shop & Co",
        id: 2,
        autoStart: false,
        line: lineOf('<site name="Shop'),
        applications: [
          {
            path: "/",
            pool: "Shop",
            directories: [
              { path: "/", physicalPath: "D:\\shop", user: "FARM\\web" },
              { path: "/img", physicalPath: "\\\\files\\img" },
            ],
          },
        ],
        bindings: [
          { protocol: "http", address: "*", port: 80, host: "shop.example.com", sslFlags: 0, line: lineOf("*:80:shop") },
          { protocol: "https", address: "*", port: 443, host: "shop.example.com", sslFlags: 3, line: lineOf("*:443:shop") },
          { protocol: "https", address: "10.0.0.4", port: 443, sslFlags: 160, line: lineOf("10.0.0.4:443") },
          { protocol: "https", address: "2001:db8::4", port: 8443, host: "*.example.com", sslFlags: 1, line: lineOf("[2001") },
          { protocol: "net.tcp", information: "808:*", line: lineOf("808:*") },
        ],
      },
      { name: "Odd", autoStart: true },
    ]);
  });

  it("tells bindings that it cannot read, by line", () => {
    expect(host.unread).toEqual([
      { line: lineOf("nonsense"), text: "https nonsense" },
      { line: lineOf("many"), text: "https *:443:odd.example.com sslFlags=many" },
    ]);
  });

  it("turns bindings into evidence, flags as written", () => {
    const { bindings } = bindingsEvidence(host, new Map([["Shop & Co", true]]));
    expect(
      bindings.map(({ site, address, port, host: name, sni, central, sslFlags, started }) => [
        site,
        address,
        port,
        name,
        sni,
        central,
        sslFlags,
        started,
      ]),
    ).toEqual([
      ["Shop & Co", "*", 80, "shop.example.com", false, false, undefined, true],
      ["Shop & Co", "*", 443, "shop.example.com", true, true, 3, true],
      ["Shop & Co", "10.0.0.4", 443, undefined, false, false, 160, true],
      ["Shop & Co", "2001:db8::4", 8443, "*.example.com", true, false, 1, true],
      ["Odd", "*", 443, "odd.example.com", false, false, 0, true],
    ]);
  });

  it("reads sections of the server and of locations", () => {
    expect(host.sections).toEqual([
      { path: "system.webServer/httpProtocol/customHeaders/add", attributes: { name: "X-A", value: "1" }, line: lineOf("X-A") },
    ]);
    expect(host.locations).toMatchObject([
      {
        path: "Shop & Co/old",
        line: lineOf("<location"),
        sections: [{ path: "system.webServer/httpRedirect", attributes: { destination: "https://shop.example.com/" } }, {}, {}],
      },
    ]);
  });

  it("finds SSL data of IIS 6, and names the providers of encryption", () => {
    expect(host.legacyBindingData).toBe(true);
    expect(read(SAMPLE.replace("5506", "5507")).legacyBindingData).toBe(false);
    expect(host.protectedBy).toEqual(["IISWASOnlyRsaProvider", "AesProvider"]);
  });

  it("keeps every secret sealed, encrypted or not", () => {
    const text = JSON.stringify(host);
    for (const secret of ["c2VjcmV0", "plain", "AQIAAA5m", "hidden", "[enc:"]) expect(text).not.toContain(secret);
    expect(text).toContain("(sealed)");
  });

  it("gives the same digest for the same configuration, and another for another", () => {
    expect(read(SAMPLE.replaceAll("\n", "\r\n").replace("<!-- Written by a server. -->", "").replace("c2VjcmV0", "YW5kZXJz")).digest).toBe(
      host.digest,
    );
    expect(read(SAMPLE.replace('sslFlags="3"', 'sslFlags="1"')).digest).not.toBe(host.digest);
  });

  it.each([
    ["UTF-8 with a mark", Buffer.from(`\uFEFF${SAMPLE}`)],
    ["UTF-16LE with a mark", Buffer.from(`\uFEFF${SAMPLE.replace("UTF-8", "utf-16")}`, "utf16le")],
    ["UTF-16BE with a mark", Buffer.from(`\uFEFF${SAMPLE.replace("UTF-8", "utf-16")}`, "utf16le").swap16()],
    ["UTF-16LE without a mark", Buffer.from(SAMPLE, "utf16le")],
  ])("reads %s", (_name, bytes) => {
    expect(read(bytes)).toEqual(host);
  });

  it.each([
    [
      "a copy that was cut off",
      SAMPLE.slice(0, SAMPLE.indexOf("<application path")),
      /line 24, column 8: the file breaks off \(unclosed tag: site\)/,
    ],
    ["an empty copy", "", /the file is empty/],
    ["a copy of zero octets", "\u0000".repeat(4096), /the file begins with zero octets/],
    ["a copy that ends in zero octets", `${SAMPLE.slice(0, 400)}${"\u0000".repeat(400)}`, /line 12, column \d+: disallowed character/],
    ["crossed tags", "<configuration>\n<a><b></a></b></configuration>", /line 2, column 10: unexpected close tag/],
    ["an attribute twice", '<configuration a="1" a="2"/>', /duplicate attribute: a/],
    ["something else", "<html/>", /the root element is "html"/],
    ["a document type", '<!DOCTYPE configuration SYSTEM "file:///etc/passwd"><configuration/>', /a document type declaration has no place/],
    [
      "an entity bomb",
      `<!DOCTYPE c [<!ENTITY a "aaaa">${"<!ENTITY b '&a;&a;'>".repeat(10_000)}]><c>&b;</c>`,
      /a document type declaration/,
    ],
    ["an entity of nobody", "<configuration>&boom;</configuration>", /undefined entity/],
  ])("says where %s is not well-formed", (_what, text, message) => {
    const error = errorOf(text);
    expect(error.code).toBe("IIS_CONFIG_MALFORMED");
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(`${SOURCE}: line `)).toBe(true);
  });

  it.each([
    ["more than 64 MiB", Buffer.alloc(64 * 1024 * 1024 + 1, "<")],
    ["deep nesting", "<a>".repeat(1_000_000)],
    ["too many elements", `<configuration>${"<a/>".repeat(600_000)}`],
    ["too many attributes", `<configuration ${Array.from({ length: 501 }, (_, at) => `a${at}=""`).join(" ")}/>`],
  ])("refuses %s soon", (_what, content) => {
    expect(errorOf(content).code).toBe("IIS_INPUT_TOO_LARGE");
  });

  it("reads any binding information without failing, and gives back what it reads", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: "binary-ascii" }), fc.stringMatching(/^[*[\]0-9a-f:.]{0,30}:[0-9]{0,6}:[*a-z.]{0,20}$/)),
        (information) => {
          const escaped = information.replaceAll(/[^ -~]|["<&]/g, (char) => `&#${char.codePointAt(0) ?? 63};`);
          const text = `<configuration><system.applicationHost><sites><site name="s"><bindings><binding protocol="https" bindingInformation="${escaped}"/></bindings></site></sites></system.applicationHost></configuration>`;
          try {
            const { sites, unread } = read(text);
            const port = sites[0]?.bindings[0]?.port;
            expect(unread.length).toBe(port === undefined ? 1 : 0);
            if (port !== undefined) expect(information).toContain(`:${port}:`);
          } catch (thrown) {
            expect((thrown as FarmError).code).toBe("IIS_CONFIG_MALFORMED"); // characters that XML does not have
          }
        },
      ),
    );
  });
});

describe("readRedirection", () => {
  const file = (attributes: string) => `<configuration><configSections/><configurationRedirection ${attributes}/></configuration>`;

  it("says where a server takes its configuration from, without the password", () => {
    expect(readRedirection(file('enabled="true" path="\\\\files\\config" userName="FARM\\cfg" password="[enc:x:y:enc]"'), SOURCE)).toEqual({
      enabled: true,
      path: "\\\\files\\config",
      user: "FARM\\cfg",
    });
  });

  it("takes an absent or disabled redirection for none", () => {
    expect(readRedirection(file(""), SOURCE)).toEqual({ enabled: false });
    expect(readRedirection(file('enabled="False" path=""'), SOURCE)).toEqual({ enabled: false });
    expect(readRedirection("<configuration/>", SOURCE)).toEqual({ enabled: false });
  });
});
