import { mkdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes } from "node:crypto";

import { Secret, systemClock, type Log } from "../../base/index.ts";
import { createAuthority, writePfx, type Authority, type IssueRequest, type PfxProfile } from "../../pki/index.ts";
import { openDirectoryStore } from "../../store/index.ts";
import { demoPage } from "./demo-page.ts";
import { demoPorts, demoYaml } from "./demo-yaml.ts";

/** Where a farm on one machine lives. */
export interface FarmPaths {
  readonly root: string;
  readonly store: string;
  /** What belongs to this machine: the nodes' own data, the admin token, the password file. */
  readonly local: string;
  readonly passwords: string;
  readonly authority: string;
}

/** The paths below a farm's folder. */
export const farmPaths = (root: string): FarmPaths => ({
  root,
  store: join(root, "store"),
  local: join(root, "local"),
  passwords: join(root, "local", "passwords.yaml"),
  authority: join(root, "demo-ca.pem"),
});

const SITES = [
  { folder: "shop", title: "The shop", certificate: "www.shop.localhost.pfx" },
  { folder: "api", title: "The API", certificate: "api.shop.localhost.rsa.pfx and api.shop.localhost.ecdsa.pfx" },
  { folder: "apps", title: "Any app", certificate: "_.apps.localhost.pfx, a wildcard" },
  { folder: "legacy", title: "Legacy", certificate: "legacy.shop.localhost.pfx, as Windows Server 2012 writes it" },
] as const;

/**
 * Makes the demo farm: an authority of its own, four sites with their certificates and pages, a configuration, a password file.
 * Nothing is made over an existing one. @throws STORE_UNAVAILABLE
 */
export async function makeDemoFarm(root: string, settings: { readonly basePort: number; readonly log: Log }): Promise<FarmPaths> {
  const paths = farmPaths(root);
  if (await exists(join(paths.store, "config", "farm.yaml"))) return paths;
  await mkdir(paths.local, { recursive: true, mode: 0o700 });
  const store = await openDirectoryStore({ root: paths.store, log: settings.log, clock: systemClock });
  const password = new Secret(randomBytes(12).toString("base64url"));
  await writeFile(paths.passwords, `# Passwords of the central certificates (docs/certificates.md).\neveryFile: ${password.reveal()}\n`, {
    mode: 0o600,
  });
  await writeFile(join(paths.local, "pfx-password"), `${password.reveal()}\n`, { mode: 0o600 });
  const authority = await createAuthority({ name: "certfarm demo CA", now: systemClock.now(), intermediate: true });
  await writeFile(paths.authority, authority.certificatePem);

  const put = createPutter(authority, password, (name, bytes) => store.folder("certificates").put(name, bytes));
  await put("www.shop.localhost.pfx", { names: ["www.shop.localhost"] }, "modern");
  await put("api.shop.localhost.rsa.pfx", { names: ["api.shop.localhost"], keyType: "rsa" }, "modern");
  await put("api.shop.localhost.ecdsa.pfx", { names: ["api.shop.localhost"], keyType: "ecdsa" }, "modern");
  await put("_.apps.localhost.pfx", { names: ["*.apps.localhost"] }, "modern");
  await put("legacy.shop.localhost.pfx", { names: ["legacy.shop.localhost"], keyType: "rsa" }, "windows-2012");
  for (const { folder, title, certificate } of SITES) {
    await store.folder("content").put(`${folder}/index.html`, Buffer.from(demoPage(title, certificate)));
  }
  await store.folder("config").put("farm.yaml", Buffer.from(demoYaml(demoPorts(settings.basePort))));
  await store.close();
  return paths;
}

function createPutter(authority: Authority, password: Secret, put: (name: string, bytes: Uint8Array) => Promise<unknown>) {
  return async (file: string, request: IssueRequest, profile: PfxProfile): Promise<void> => {
    const { chainPem, keyPem } = await authority.issue(request);
    await put(file, await writePfx({ chainPem, keyPem, friendlyName: request.names[0] }, { password, profile }));
  };
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
