import { FarmError, type HostName } from "../base/index.ts";
import { policyFor, type TlsPolicy } from "../config/index.ts";
import type { ServerName } from "../handshake/index.ts";
import type { TlsDemands } from "../web/index.ts";
import type { ClientAuthorities, ClientAuthority } from "./client-authorities.ts";
import type { ResolvedPolicy } from "./live-names.ts";
import type { ServingState } from "./selection.ts";
import { scopeDigest } from "./ticket-scope.ts";

/** TLS policies of sites, with the text of their client CA files. */
export interface SitePolicies {
  /** @throws NODE_CLIENT_CA when the CA file cannot be used: a site that asks for client certificates is never served without checking them */
  resolve(serverName: ServerName, port: number): Promise<ResolvedPolicy>;
  /** What a request for this host asks of its connection. */
  demands(port: number, host: HostName | undefined): TlsDemands;
  /** CA files are read again; true when one of them has another content now. */
  refresh(): Promise<boolean>;
}

/** Policies over the serving state and the client authorities. */
export function createSitePolicies(authorities: ClientAuthorities, state: () => ServingState): SitePolicies {
  const digests = new WeakMap<TlsPolicy, string>();

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
      const authority = await authorities.get(policy.clientCaFile);
      const digest = `${digestOf(policy)}.${authority.digest.slice(0, 16)}`;
      return { policy, digest, clientCaPem: authority.pem, clientRule: ruleOf(policy, authority) };
    },
    demands(port, host) {
      const { config, sites } = state();
      // Before the first configuration there are no sites to read.
      if (config === undefined || sites === undefined) return { minVersion: "1.2" };
      const policy = policyFor(config, sites, port, host);
      const { minVersion, clientCertificates, clientCaFile } = policy;
      if (clientCertificates === "none" || clientCaFile === undefined) return { minVersion };
      // With its file not read yet, no connection can have been made by this rule.
      return { minVersion, clientRule: ruleOf(policy, authorities.known(clientCaFile)) };
    },
    refresh: () => authorities.refresh(filesOf(state())),
  };
}

/** Names what client certificates are checked by: how strictly, by which file, with which content. */
function ruleOf({ clientCertificates, clientCaFile = "" }: TlsPolicy, authority: ClientAuthority | undefined): string {
  return `${clientCertificates} ${clientCaFile} ${authority?.digest ?? ""}`;
}

function filesOf({ config }: ServingState): ReadonlySet<string> {
  const policies = [config?.tls, ...(config?.sites.map((site) => site.tls) ?? [])];
  return new Set(policies.flatMap((policy) => (policy?.clientCaFile === undefined ? [] : [policy.clientCaFile])));
}
