import { createPrivateKey, generateKeyPairSync } from "node:crypto";

import { instant, type Instant } from "../../base/index.ts";
import { issueIdentity, makeIdentityAuthority } from "../../pki/index.ts";
import type { Signing } from "../signing.ts";
import type { Identity, IdentityRole } from "../types.ts";

const HOUR = 3_600_000;

/** What an identity of a test is made with. */
export interface TestIdentitySettings {
  readonly notBefore?: Instant;
  readonly notAfter?: Instant;
  /** A name of another farm in a certificate that this authority signed. */
  readonly farmId?: string;
}

/** A farm's authority, its identities and its revocations, as processes would have them. */
export interface TestAuthority {
  readonly farmId: string;
  /** May grow while a test runs. */
  readonly revoked: Set<string>;
  readonly authorityPem: string;
  issue(role: IdentityRole, name: string, settings?: TestIdentitySettings): Promise<Identity>;
  /** What a process with that identity works with. */
  signing(role: IdentityRole, name: string, settings?: TestIdentitySettings): Promise<Signing>;
}

/** A farm with an authority of its own, valid around this moment. */
export async function makeTestAuthority(farmId = "00112233445566aa", now: Instant = instant(Date.now())): Promise<TestAuthority> {
  const authority = await makeIdentityAuthority({ name: `certfarm ${farmId}`, now });
  const revoked = new Set<string>();
  const authorityPem = authority.certificatePem;

  async function issue(role: IdentityRole, name: string, settings: TestIdentitySettings = {}): Promise<Identity> {
    const { notBefore = instant(now - HOUR), notAfter = instant(now + 24 * HOUR) } = settings;
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const spki = publicKey.export({ type: "spki", format: "der" });
    const uri = `urn:certfarm:${settings.farmId ?? farmId}:${role}:${name}`;
    const certificatePem = await issueIdentity(authority, { subject: `${role} ${name}`, uri, spki, notBefore, notAfter });
    const key = createPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }));
    return { farmId, role, name, certificatePem, key, authorityPem };
  }

  return {
    farmId,
    revoked,
    authorityPem,
    issue,
    async signing(role, name, settings) {
      const identity = await issue(role, name, settings);
      return { identity: () => identity, revoked };
    },
  };
}
