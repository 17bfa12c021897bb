import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";

import { parseIpAddress, requireHostName, silentLog, systemClock } from "../base/index.ts";
import { openCentralCertificates, type CentralCertificates } from "../certificates/index.ts";
import { createAuthority, type Authority } from "../pki/index.ts";
import { createMemoryStore, type FarmStore } from "../store/index.ts";
import { createSelector, type FinalDecision } from "./selection.ts";

let authority: Authority;
let store: FarmStore;
let central: CentralCertificates;
let listNames = (): void => {};
let down = false;

beforeAll(async () => {
  authority = await createAuthority({ name: "Example CA", now: systemClock.now() });
});
beforeEach(() => {
  down = false;
  store = createMemoryStore({ faults: () => (down ? "unavailable" : undefined) });
});
afterEach(async () => {
  await central.close();
  await store.close();
});

async function put(file: string, name: string): Promise<void> {
  const { chainPem, keyPem } = await authority.issue({ names: [name] });
  await store.folder("certificates").put(file, Buffer.from(chainPem + keyPem.reveal()));
}

const address = parseIpAddress("127.0.0.1") ?? expect.fail();
const row = { origin: "configuration", appId: "{certfarm}" } as const;

/** Asks a node whose table has a central row, and a row for `rowed.example.com`, before anything is listed. */
function ask(name: string): Promise<FinalDecision> {
  const listAfter = new Promise<void>((resolve) => (listNames = resolve));
  central = openCentralCertificates({ folder: store.folder("certificates"), clock: systemClock, log: silentLog, scan: "off", listAfter });
  const host = requireHostName("rowed.example.com") as never; // a host is a pattern
  const rows = [
    { ...row, key: { kind: "host", host, port: 443 }, file: "Shared.PEM" },
    { ...row, key: { kind: "central", port: 443 } },
  ] as const;
  const state = { epoch: 1, table: { rows }, config: undefined, sites: undefined, ticketKeys: undefined };
  const selector = createSelector({ clock: systemClock, certificates: central, state: () => state });
  return selector.settled({ serverName: { kind: "name", host: requireHostName(name) }, address, port: 443 });
}

const early: [string, string, string, string][] = [
  ["a host by the file of its name", "www.example.com.pem", "www.example.com", "www.example.com"],
  ["a host by the file of its wildcard", "_.example.com.ecdsa.pem", "*.example.com", "shop.example.com"],
  ["a host whose file is named in Unicode", "bücher.example.pem", "xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["the file that a row names", "Shared.PEM", "rowed.example.com", "rowed.example.com"],
];
test.each(early)("%s is served before the folder is listed", async (_what, file, certificate, name) => {
  await put(file, certificate);
  expect(await ask(name)).toMatchObject({ kind: "serve", certificates: [{ file }] });
  expect(central.isListed).toBe(false);
  listNames();
  await central.listed();
  expect(central.counts().listed).toBe(1);
});

test("a file that is spelled otherwise waits for the listing, which is then begun at once", async () => {
  await put("WWW.Example.com.pem", "www.example.com");
  expect(await ask("www.example.com")).toMatchObject({ kind: "serve", certificates: [{ file: "WWW.Example.com.pem" }] });
  expect(central.isListed).toBe(true);
});

test("a host without a file is refused only when the folder is listed", async () => {
  await put("www.example.com.pem", "www.example.com");
  expect(await ask("nobody.example.net")).toMatchObject({ kind: "refuse", reason: "no-certificate" });
  expect(central.isListed).toBe(true);
});

test("a store that is away is not waited for", async () => {
  down = true;
  expect(await ask("www.example.com")).toMatchObject({ kind: "refuse" });
});
