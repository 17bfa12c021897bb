import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { Secret, silentLog, systemClock, toFarmError } from "../../base/index.ts";
import { createAuthority, writePfx, type Authority } from "../../pki/index.ts";
import { writeScripts } from "../repair/write-scripts.ts";
import { doctorHere } from "./doctor-here.ts";
import type { ServerLook } from "./examine-servers.ts";
import { explainEvidence } from "./explain-evidence.ts";
import { findFiles } from "./find-files.ts";
import { importConfiguration } from "./import-configuration.ts";

const parts = { clock: systemClock, log: silentLog };
const WWW = "www.example.test";
const APP = "{4dc3e181-e14b-4a21-b022-59fc669b0914}";
const PASSWORD = new Secret("share password");

/** A print of `netsh http show sslcert`. */
const netsh = (...rows: readonly string[]): string =>
  `\nSSL Certificate bindings:\n-------------------------\n\n${rows
    .map(
      (key) =>
        `    ${key}\n    Certificate Hash             : ${key.startsWith("Central") ? "(null)" : "a".repeat(40)}\n    Application ID               : ${APP}\n    Certificate Store Name       : (null)\n`,
    )
    .join("\n")}`;
const CENTRAL_ROW = "Central Certificate Store    : 443";

const applicationHost = (...hosts: readonly string[]): string => `<?xml version="1.0"?>
<configuration><configSections><sectionGroup name="system.applicationHost"/></configSections><system.applicationHost><sites>
<site name="Shop" id="1"><application path="/"><virtualDirectory path="/" physicalPath="C:\\shop"/></application><bindings>
${hosts.map((host) => `<binding protocol="https" bindingInformation="*:443:${host}" sslFlags="3" />`).join("\n")}
</bindings></site></sites></system.applicationHost></configuration>`;

let folder: string;
let authority: Authority;
let server: Server;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "certfarm-servers-"));
  authority = await createAuthority({ name: "servers CA", now: systemClock.now() });
  const { chainPem, keyPem } = await authority.issue({ names: [WWW] });
  server = createServer({ cert: chainPem, key: keyPem.reveal() }, (socket) => {
    socket.on("error", () => undefined).end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
  server.on("tlsClientError", () => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo); // a TCP server's address
  for (const [node, rows] of Object.entries({ web1: [CENTRAL_ROW], web2: ["IP:port                      : 10.9.9.9:8443"] })) {
    await mkdir(join(folder, "farm", node), { recursive: true });
    await writeFile(join(folder, "farm", node, "netsh.txt"), netsh(...rows));
    await writeFile(join(folder, "farm", node, "applicationHost.config"), applicationHost(WWW));
  }
  await mkdir(join(folder, "share"));
  await writeFile(join(folder, "share", `${WWW}.pfx`), await writePfx({ chainPem, keyPem }, { password: PASSWORD, profile: "modern" }));
  await writeFile(join(folder, "password"), `${PASSWORD.reveal()}\n`);
});

afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const look = (settings: ServerLook) => doctorHere(parts, { timeoutMs: 2_000, caPem: authority.certificatePem, ...settings });
const evidence = () => [join(folder, "farm")];
const errorOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "nothing thrown",
    (error: unknown) => toFarmError(error).code,
  );

describe("servers that are only dialled", () => {
  test("are columns by address, with what each serves", async () => {
    const report = await look({ hosts: [WWW], nodes: [`127.0.0.1:${port}`, "127.0.0.1:1"] });
    expect(report.nodes).toEqual([
      { name: `127.0.0.1:${port}`, role: "node" },
      { name: "127.0.0.1:1", role: "node" },
    ]);
    expect(report.matrix).toMatchObject([{ host: WWW, cells: [{ state: "ok", status: 200 }, { state: "no-connection" }] }]);
  });

  test("may be named by a label, and what clients dial stands beside them", async () => {
    const report = await look({ hosts: [WWW], nodes: [`web1=127.0.0.1:${port}`], via: `[::ffff:127.0.0.1]:${port}` });
    expect(report.nodes.map(({ name, role }) => `${name} ${role}`)).toEqual(["web1 node", `[::ffff:127.0.0.1]:${port} balancer`]);
  });

  test("a name that has no address is a gap beside the others, and an error alone", async () => {
    const report = await look({ hosts: [WWW], nodes: ["localhost.invalid", `127.0.0.1:${port}`] });
    expect(report.nodes).toHaveLength(1);
    expect(report.gaps).toContainEqual({ what: "dns", why: expect.stringContaining("localhost.invalid") });
    expect(await errorOf(look({ hosts: [WWW], nodes: ["localhost.invalid"] }))).toBe("ENDPOINT_INVALID");
  });

  test.each<[string, ServerLook, string]>([
    ["no server", { hosts: [WWW] }, "DOCTOR_NOTHING_TO_LOOK_AT"],
    ["no host", { nodes: ["127.0.0.1"] }, "DOCTOR_NOTHING_TO_LOOK_AT"],
    ["what is no host name", { hosts: ["not a host"], nodes: ["127.0.0.1"] }, "HOST_NAME_INVALID"],
    ["what is no address", { hosts: [WWW], nodes: ["http://x/"] }, "ENDPOINT_INVALID"],
    ["evidence that is not there", { evidence: ["/nowhere/web1.json"] }, "DOCTOR_FILE_UNREADABLE"],
    ["a share that is not there", { hosts: [WWW], nodes: ["127.0.0.1:1"], share: "/nowhere" }, "DOCTOR_FILE_UNREADABLE"],
  ])("%s is an error", async (_name, settings, code) => {
    expect(await errorOf(look(settings))).toBe(code);
  });
});

describe("servers that have evidence", () => {
  test("are told apart by it: the one without the central row is named, whether it was dialled or not", async () => {
    const report = await look({ evidence: evidence() });
    expect(report.nodes).toEqual([
      { name: "web1", role: "node", make: "iis" },
      { name: "web2", role: "node", make: "iis" },
    ]);
    expect(report.matrix).toEqual([{ host: WWW, cells: [expect.anything(), expect.anything()] }]);
    expect(report.findings.filter(({ severity }) => severity === "error").map(({ code, nodes }) => [code, nodes])).toContainEqual([
      "central-row-missing",
      ["web2"],
    ]);
    expect(report.gaps).toContainEqual({ what: "probes", why: expect.stringContaining("--nodes") });
  });

  test("are joined with addresses by their names", async () => {
    const report = await look({ evidence: evidence(), nodes: [`web1=127.0.0.1:${port}`, "web2=127.0.0.1:1"] });
    expect(report.nodes.map(({ name, make }) => `${name} ${make ?? ""}`)).toEqual(["web1 iis", "web2 iis"]);
    expect(report.matrix[0]?.cells.map(({ state }) => state)).toEqual(["ok", "no-connection"]);
  });

  test("get one script each, where a script can mend; the central row stays", async () => {
    const { scripts } = await writeScripts(parts, { evidence: evidence(), findings: ["central-row-missing"] });
    expect(scripts.map(({ node, fileName }) => [node, fileName])).toEqual([["web2", "repair-web2.ps1"]]);
    expect(scripts[0]?.text).toContain("add-central-row");
    expect(await errorOf(writeScripts(parts, { evidence: evidence(), findings: ["no-such-code"] }))).toBe("REPAIR_FINDING_UNKNOWN");
  });

  test("explain a name, with the files of a share and their password", async () => {
    const question = {
      evidence: evidence(),
      serverName: WWW,
      port: 443,
      share: join(folder, "share"),
      passwordFile: join(folder, "password"),
    };
    const answers = await explainEvidence(parts, question);
    expect(answers).toMatchObject([
      { node: "web1", kind: "answer", answer: { outcome: "serve", thumbprint: expect.stringMatching(/^[0-9A-F]{40}$/) } },
      { node: "web2", kind: "answer", answer: { outcome: "reset" } },
    ]);
    expect(await errorOf(explainEvidence(parts, { ...question, node: "web9" }))).toBe("NODE_UNKNOWN");
  });

  test("become a farm.yaml", async () => {
    const { yaml } = await importConfiguration(join(folder, "farm", "web1", "applicationHost.config"), evidence());
    expect(yaml).toContain(WWW);
    expect(yaml).toContain("web2");
  });
});

test("a share is read with the password that was given", async () => {
  const settings = { hosts: [WWW], nodes: [`127.0.0.1:${port}`], share: join(folder, "share") };
  const withPassword = await look({ ...settings, passwordFile: join(folder, "password") });
  expect(withPassword.findings.filter(({ severity }) => severity === "error")).toEqual([]);
});

describe("nginx of this machine", () => {
  test("is read with its includes and certificates, and dialled where it listens", async () => {
    await mkdir(join(folder, "nginx", "sites"), { recursive: true });
    await writeFile(join(folder, "nginx", "www.pem"), (await authority.issue({ names: [WWW] })).chainPem);
    await writeFile(join(folder, "nginx", "nginx.conf"), "events {}\nhttp { include sites/*.conf; }\n");
    const site = `server { listen 127.0.0.1:${port} ssl; server_name ${WWW}; ssl_certificate ${join(folder, "nginx", "www.pem")}; }`;
    await writeFile(join(folder, "nginx", "sites", "shop.conf"), site);
    const report = await look({ nginx: [join(folder, "nginx", "nginx.conf")] });
    expect(report.nodes).toMatchObject([{ role: "node", make: "nginx" }]);
    expect(report.matrix.map(({ host }) => host)).toEqual([WWW]);
    expect(report.matrix[0]?.cells[0]?.state).toBe("ok");
  });

  test.each([
    ["a star", "*.conf", ["a.conf", "b.conf"]],
    ["a question mark and a set", "[a-b].con?", ["a.conf", "b.conf"]],
    ["a set of others", "[!a].conf", ["b.conf"]],
    ["stars that could be tried for ever", `${"*".repeat(50)}x`, []],
    ["a name", "a.conf", ["a.conf"]],
  ])("finds included files by %s", async (_name, pattern, names) => {
    const place = await mkdtemp(join(folder, "find-"));
    for (const name of ["a.conf", "b.conf", ".hidden.conf"]) await writeFile(join(place, name), "");
    expect((await findFiles(join(place, pattern))).map(({ path }) => path)).toEqual(names.map((name) => join(place, name)));
  });
});
