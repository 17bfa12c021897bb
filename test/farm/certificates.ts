import { Secret, systemClock } from "../../src/base/index.ts";
import { createAuthority, writePfx, type Authority, type IssueRequest, type PfxProfile } from "../../src/pki/index.ts";

/** A certificate file of a farm. `.pfx` files are PKCS#12 under the farm's password, `.pem` files hold key and chain in the clear. */
export interface CertificateSpec extends IssueRequest {
  readonly file: string;
  /** @default "modern" */
  readonly profile?: PfxProfile;
}

/** The password of the PFX files that the tests make. */
export const PFX_PASSWORD = new Secret("Größe 1234");

/** The certification authority that every client of a test farm trusts: a root and an intermediate. */
export const createTestAuthority = (): Promise<Authority> =>
  createAuthority({ name: "certfarm test CA", now: systemClock.now(), intermediate: true });

/** The octets of a certificate file. */
export async function certificateFile(authority: Authority, spec: CertificateSpec, password = PFX_PASSWORD): Promise<Uint8Array> {
  const { chainPem, keyPem } = await authority.issue(spec);
  if (spec.file.endsWith(".pem")) return Buffer.from(keyPem.reveal() + chainPem);
  return writePfx({ chainPem, keyPem, friendlyName: spec.names[0] }, { password, profile: spec.profile ?? "modern" });
}

/** One of each kind that a farm meets: a plain one, an RSA and ECDSA pair, a wildcard, a PFX as Windows Server 2012 writes it. */
export const DEFAULT_CERTIFICATES: readonly CertificateSpec[] = [
  { file: "www.shop.localhost.pfx", names: ["www.shop.localhost"] },
  { file: "api.shop.localhost.rsa.pfx", names: ["api.shop.localhost"], keyType: "rsa" },
  { file: "api.shop.localhost.ecdsa.pfx", names: ["api.shop.localhost"] },
  { file: "_.apps.localhost.pfx", names: ["*.apps.localhost"] },
  { file: "legacy.shop.localhost.pfx", names: ["legacy.shop.localhost"], keyType: "rsa", profile: "windows-2012" },
];
