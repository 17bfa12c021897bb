import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { FarmError, Secret, silentLog, systemClock, systemCode } from "../base/index.ts";
import type { IdentityHost } from "../cli/index.ts";
import { initAuthority, joinFarm, replaceAuthority, retireAuthority, type InitRequest } from "../identity/index.ts";
import { openStore } from "../store/index.ts";
import { signByFolder } from "./admin-signature.ts";
import { openAdminIdentity } from "./process-identity.ts";

const clock = systemClock;

/** What the command line does with identities in this process. */
export function createIdentityHost(signal: AbortSignal): IdentityHost {
  return {
    async init({ store: settings, dir, name, certificate, key, change, rejoin }) {
      const store = await openStore(settings, { log: silentLog, clock, create: change === undefined });
      try {
        const given = certificate === undefined || key === undefined ? {} : { given: await readGiven(certificate, key) };
        const request: InitRequest = { dir: resolve(dir), state: store.state, clock, name, ...given };
        const signed = { store, log: silentLog };
        // While both authorities are trusted: what was signed under the old one is not believed afterwards.
        if (change === "retire") await signByFolder(request.dir, { ...signed, when: "anew" });
        if (change === "retire") return await retireAuthority(request);
        const outcome = change === "replace" ? await replaceAuthority({ ...request, rejoin }) : await initAuthority(request);
        await signByFolder(request.dir, { ...signed, when: change === "replace" ? "anew" : "first" });
        return outcome;
      } finally {
        await store.close();
      }
    },
    join: ({ url, token, role, data, place }) =>
      joinFarm({
        url,
        token,
        role,
        data: (name) => resolve(data ?? join("certfarm-data", name)),
        clock,
        signal,
        ...(place === undefined ? {} : { place }),
      }),
    async makeToken({ store: settings, dir, by, ...request }) {
      const store = await openStore(settings, { log: silentLog, clock });
      const admin = await openAdminIdentity({ data: resolve(dir), store, log: silentLog }, { settings, farmKeyFile: undefined });
      try {
        if (admin === undefined) throw new FarmError("IDENTITY_AUTHORITY_KEY_ABSENT", `${dir} holds no admin identity`);
        const { token, ...made } = await admin.access.desk.makeToken({ ...request, by });
        return { ...made, token: token.reveal() };
      } finally {
        await admin?.keeper.close();
        await store.close();
      }
    },
  };
}

async function readGiven(certificate: string, key: string): Promise<NonNullable<InitRequest["given"]>> {
  const [certificatePem, keyPem] = await Promise.all([readText(certificate), readText(key)]);
  return { certificatePem, keyPem: new Secret(keyPem) };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new FarmError("INPUT_FILE_UNUSABLE", `${path}: ${systemCode(cause) ?? String(cause)}`, { facts: { path }, cause });
  }
}
