import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startBrowser, type Browser } from "./farm/clients/chromium.ts";
import { curlAll } from "./farm/clients/curl.ts";
import { createJavaClient, type JavaClient } from "./farm/clients/java.ts";
import { opensslClient } from "./farm/clients/openssl.ts";
import { startTestFarm, type Entrance, type TestFarm } from "./farm/start-test-farm.ts";

/** Host name → its site. */
const HOSTS: ReadonlyMap<string, string> = new Map([
  ["www.shop.localhost", "shop"],
  ["api.shop.localhost", "api"],
  ["one.apps.localhost", "apps"],
  ["two.apps.localhost", "apps"],
  ["legacy.shop.localhost", "legacy"],
]);
const NODES = ["web1", "web2", "web3", "web4"];

let farm: TestFarm;

beforeAll(async () => {
  farm = await startTestFarm({ nodes: NODES.length });
});
afterAll(async () => farm?.stop());

/** Every host through every entrance. */
const everywhere = (): readonly { readonly host: string; readonly site: string; readonly entrance: Entrance }[] =>
  farm.entrances.flatMap((entrance) => [...HOSTS].map(([host, site]) => ({ host, site, entrance })));

const urlOf = ({ host, entrance }: { readonly host: string; readonly entrance: Entrance }): string => `https://${host}:${entrance.https}/`;

/** Which nodes may answer there. */
const answerers = ({ name }: Entrance): readonly string[] => (name === "balancer" ? NODES : [name]);

describe("curl reaches every site through the balancer and through every node", () => {
  it.each([
    ["over HTTP/1.1", "127.0.0.1", ["--http1.1"], "1.1"],
    ["over HTTP/1.1 and IPv6", "::1", ["--http1.1"], "1.1"],
    ["over HTTP/2", "127.0.0.1", ["--http2"], "2"],
    ["over HTTP/2 and IPv6", "::1", ["--http2"], "2"],
    ["over TLS 1.2", "127.0.0.1", ["--tls-max", "1.2"], "2"],
    ["over TLS 1.3 alone", "127.0.0.1", ["--tlsv1.3"], "2"],
  ])("%s, to %s", async (_how, address, options, httpVersion) => {
    const wanted = everywhere();
    const answers = await curlAll({ urls: wanted.map(urlOf), address, caFile: farm.caFile, options });
    for (const [index, { site, entrance }] of wanted.entries()) {
      const answer = answers[index];
      expect(answer).toMatchObject({ error: undefined, status: 200, httpVersion, verified: true, remote: address });
      expect(answer?.body).toContain(`<h1>${site}</h1>`);
      expect(answerers(entrance)).toContain(answer?.headers.get("x-served-by"));
    }
  });

  it("and is sent from http to https", async () => {
    const urls = farm.entrances.map(({ http }) => `http://www.shop.localhost:${http}/a?b=c`);
    for (const answer of await curlAll({ urls, caFile: farm.caFile })) {
      expect(answer).toMatchObject({ error: undefined, status: 301 });
      expect(answer.headers.get("location")).toBe(`https://www.shop.localhost:${farm.balancer.https}/a?b=c`);
    }
  });

  it("and the balancer spreads connections over all nodes", async () => {
    const urls = Array.from({ length: 60 }, () => `https://www.shop.localhost:${farm.balancer.https}/`);
    const answers = await curlAll({ urls, caFile: farm.caFile, options: ["--header", "Connection: close", "--http1.1"] });
    expect(new Set(answers.map(({ headers }) => headers.get("x-served-by")))).toEqual(new Set(NODES));
  });
});

describe("openssl s_client", () => {
  for (const [how, protocol, options] of [
    ["TLS 1.2", "TLSv1.2", ["-tls1_2"]],
    ["TLS 1.3", "TLSv1.3", ["-tls1_3"]],
  ] as const) {
    it(`reaches every site through the balancer and through every node over ${how}`, async () => {
      for (const { host, site, entrance } of everywhere()) {
        const answer = await opensslClient({ port: entrance.https, serverName: host, caFile: farm.caFile, options });
        expect(answer, `${host} at ${entrance.name}: ${answer.stderr}`).toMatchObject({ code: 0, protocol, verified: true });
        expect(answer.body).toContain(`<h1>${site}</h1>`);
        expect(answerers(entrance)).toContain(/^X-Served-By: (\S+)\r$/im.exec(answer.body)?.[1]);
      }
    });
  }

  it.each([
    ["an RSA-only TLS 1.3 client gets the RSA certificate", "-tls1_3", "RSA-PSS+SHA256:RSA+SHA256", /^RSA/i],
    ["an RSA-only TLS 1.2 client gets the RSA certificate", "-tls1_2", "RSA+SHA256", /^RSA/i],
    ["an ECDSA-only TLS 1.3 client gets the ECDSA certificate", "-tls1_3", "ECDSA+SHA256", /^ECDSA/i],
    ["an ECDSA-only TLS 1.2 client gets the ECDSA certificate", "-tls1_2", "ECDSA+SHA256", /^ECDSA/i],
  ])("of a pair, %s", async (_title, version, sigalgs, signature) => {
    for (const entrance of farm.entrances) {
      const answer = await opensslClient({
        port: entrance.https,
        serverName: "api.shop.localhost",
        caFile: farm.caFile,
        options: [version, "-sigalgs", sigalgs],
      });
      expect(answer, answer.stderr).toMatchObject({ code: 0, verified: true });
      expect(answer.signature).toMatch(signature);
    }
  });

  it.each(["-tls1_2", "-tls1_3"])("without SNI gets an alert and no certificate (%s)", async (version) => {
    for (const entrance of farm.entrances) {
      const answer = await opensslClient({
        port: entrance.https,
        serverName: undefined,
        verifyName: "www.shop.localhost",
        caFile: farm.caFile,
        options: [version],
      });
      expect(answer.code).not.toBe(0);
      expect(answer.stderr).toMatch(/alert (unrecognized name|number 112)/);
    }
  });

  it("does not verify a name that the certificate does not hold", async () => {
    const answer = await opensslClient({
      port: farm.balancer.https,
      serverName: "www.shop.localhost",
      verifyName: "api.shop.localhost",
      caFile: farm.caFile,
    });
    expect(answer.code).not.toBe(0);
    expect(answer.stderr).toMatch(/hostname mismatch/i);
  });
});

describe("headless Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser(farm.caFile);
  });
  afterAll(async () => browser?.close());

  it("opens every site through the balancer and through every node, and the page shows which node answered", async () => {
    for (const { host, site, entrance } of everywhere()) {
      const answer = await browser.open(`https://${host}:${entrance.https}/`);
      expect(answer, `${host} at ${entrance.name}`).toMatchObject({
        status: 200,
        title: site,
        protocol: "TLS 1.3",
        issuer: "certfarm test CA Intermediate",
      });
      expect(answerers(entrance)).toContain(answer.node);
    }
  });

  it("names the refusal of an unknown host", async () => {
    expect(await browser.failure(`https://nobody.localhost:${farm.balancer.https}/`)).toContain("ERR_SSL_UNRECOGNIZED_NAME_ALERT");
  });
});

describe("Java's HttpsURLConnection", () => {
  let java: JavaClient;
  beforeAll(async () => {
    java = await createJavaClient(farm.caFile);
  });
  afterAll(async () => java?.close());

  it("reaches every site through the balancer and through every node", async () => {
    const wanted = everywhere();
    const answers = await java.fetch(wanted.map(urlOf));
    expect(answers).toHaveLength(wanted.length);
    for (const [index, { site, entrance }] of wanted.entries()) {
      const answer = answers[index];
      expect(answer, JSON.stringify(answer)).toMatchObject({ status: 200, title: site });
      expect(answerers(entrance)).toContain(answer?.servedBy);
    }
  });

  it("gets an exception that names the alert for an unknown host", async () => {
    const [answer] = await java.fetch([`https://nobody.localhost:${farm.balancer.https}/`]);
    expect(answer?.status).toBe(0);
    expect(answer?.title).toContain("unrecognized_name");
  });
});
