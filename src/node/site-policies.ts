import { createHash, X509Certificate } from "node:crypto";

import { FarmError } from "../base/index.ts";
import type { ServerName } from "../handshake/index.ts";
import type { Folder } from "../store/index.ts";
import { policyFor, type TlsPolicy } from "../config/index.ts";
import type { ResolvedPolicy } from "./live-names.ts";
import type { ServingState } from "./selection.ts";
import { scopeDigest } from "./ticket-scope.ts";

/** TLS policies of sites, with the text of their client CA files. */
export interface SitePolicies {
  /** @throws NODE_CLIENT_CA when the CA file cannot be used: a site that asks for client certificates is never served without checking them */
  resolve(serverName: ServerName, port: number): Promise<ResolvedPolicy>;
  /** CA files are read again; true when one of them has another content now. */
  refresh(): Promise<boolean>;
}

const MAX_CA_BYTES = 512 * 1024;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Policies over the serving state; CA files are `authorities/NAME` of the central certificates, kept in memory. */
export function createSitePolicies(folder: Folder, state: () => ServingState): SitePolicies {
  const authorities = new Map<string, string>();
  const digests = new WeakMap<TlsPolicy, string>();

  const load = async (file: string): Promise<string> => {
    const read = await folder.read(`authorities/${file}`, { maxBytes: MAX_CA_BYTES });
    const pem = read === undefined ? "" : Buffer.from(read.bytes).toString("latin1");
    if (countCertificates(file, pem) === 0) {
      const fault = read === undefined ? "does not exist" : "holds no PEM certificate";
      throw new FarmError("NODE_CLIENT_CA", `certificates/authorities/${file} ${fault}`, { facts: { file } });
    }
    authorities.set(file, pem);
    return pem;
  };

  const digestOf = (policy: TlsPolicy): string => {
    const known = digests.get(policy);
    if (known !== undefined) return known;
    const digest = scopeDigest([JSON.stringify(policy)]);
    digests.set(policy, digest);
    return digest;
  };

  return {
    async resolve(serverName, port) {
      const { config, sites } = state();
      if (config === undefined || sites === undefined) throw new FarmError("NODE_NOT_CONFIGURED", "the node has no configuration yet");
      const policy = policyFor(config, sites, port, serverName.kind === "name" ? serverName.host : undefined);
      if (policy.clientCertificates === "none" || policy.clientCaFile === undefined) return { policy, digest: digestOf(policy) };
      const clientCaPem = authorities.get(policy.clientCaFile) ?? (await load(policy.clientCaFile));
      const caDigest = createHash("sha256").update(clientCaPem).digest("base64url").slice(0, 16);
      return { policy, digest: `${digestOf(policy)}.${caDigest}`, clientCaPem };
    },
    async refresh() {
      let changed = false;
      for (const [file, before] of authorities) {
        // A CA file that cannot be read now is kept: its last good content goes on being enforced.
        const after = await load(file).catch(() => before);
        changed ||= after !== before;
      }
      return changed;
    },
  };
}

/** How many certificates a CA file holds; every one must parse. */
function countCertificates(file: string, pem: string): number {
  try {
    return (pem.match(CERTIFICATE) ?? []).map((certificate) => new X509Certificate(certificate)).length;
  } catch (error) {
    throw new FarmError("NODE_CLIENT_CA", `certificates/authorities/${file} holds a damaged certificate`, {
      cause: error,
      facts: { file },
    });
  }
}
