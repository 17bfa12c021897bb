import { X509Certificate } from "node:crypto";

import type { Authority } from "../../src/pki/index.ts";
import { handshake } from "../farm/clients/tls.ts";
import { addressOf, BALANCER_HOSTS, ETCD_HOSTS, NODE_HOSTS, type Host } from "./network.ts";
import type { Part } from "./part.ts";

/** What proved means here. */
export interface Wanted {
  readonly sites: readonly string[];
  readonly authority: Authority;
  /** Fingerprints of a site's certificates that may be served now: the newest, and those that came within the last moments. */
  newest(site: string): readonly string[];
  health(host: Host, path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
  readonly members: ReadonlyMap<Host, Part>;
  /** There are clients: only then can the balancers know of every proof. */
  readonly underLoad: boolean;
}

/**
 * Looks at the farm from outside: etcd answers by a majority through each member; each node is ready, has proved every host, is not
 * stale and serves the newest certificate of every site; each balancer sends connections to all nodes and knows that all proved all.
 * Undefined = all of that holds, else the first thing that does not.
 */
export async function whatIsNotProved(wanted: Wanted): Promise<string | undefined> {
  for (const part of wanted.members.values()) if (!part.running) return `${part.host} does not run`;
  const looks = [
    ...ETCD_HOSTS.map((host) => lookAtEtcd(host)),
    ...NODE_HOSTS.map((host) => lookAtNode(host, wanted)),
    ...BALANCER_HOSTS.map((host) => lookAtBalancer(host, wanted)),
  ];
  const found = await Promise.all(looks.map((look) => look.catch((error: unknown) => String(error))));
  return found.find((problem) => problem !== undefined);
}

async function lookAtEtcd(host: Host): Promise<string | undefined> {
  const url = `http://${addressOf(host)}:2379/v3/kv/range`;
  const body = JSON.stringify({ key: Buffer.from("anything").toString("base64") });
  const answer = await fetch(url, { method: "POST", body, signal: AbortSignal.timeout(2_000) });
  return answer.status === 200 ? undefined : `${host} answers ${answer.status}`;
}

async function lookAtNode(host: Host, wanted: Wanted): Promise<string | undefined> {
  const { status, body } = await wanted.health(host, "/readyz");
  if (status !== 200 || body["pending"] !== 0 || body["failed"] !== 0) return `${host}: /readyz answers ${status} ${JSON.stringify(body)}`;
  if (body["staleSince"] !== undefined) return `${host} is stale since ${JSON.stringify(body["staleSince"])}`;
  for (const site of wanted.sites) {
    const seen = await handshake({ host: addressOf(host), port: 443, servername: site, ca: wanted.authority.certificatePem });
    if (seen.kind === "failed") return `${host} does not serve ${site}: ${seen.error}`;
    if (!wanted.newest(site).includes(seen.fingerprint)) return `${host} serves an old certificate for ${site}: ${seen.fingerprint}`;
  }
  return undefined;
}

async function lookAtBalancer(host: Host, wanted: Wanted): Promise<string | undefined> {
  for (const site of wanted.underLoad ? wanted.sites : []) {
    // Clients may keep away from this balancer for now; it learns of proofs as they are asked for.
    const seen = await handshake({ host: addressOf(host), port: 443, servername: site, ca: wanted.authority.certificatePem });
    if (seen.kind === "failed") return `nobody serves ${site} through ${host}: ${seen.error}`;
  }
  const { status, body } = await wanted.health(host, "/state");
  if (status !== 200) return `${host}: /state answers ${status}`;
  const { nodes, names } = body as unknown as BalancerView; // BalancerState
  for (const node of NODE_HOSTS) {
    if (!nodes.some(({ name, inRotation }) => name === node && inRotation)) return `${host} sends nothing to ${node}`;
    for (const site of wanted.sites) {
      const known = names.recent.find((name) => name.host === site);
      if (wanted.underLoad && known?.provedBy.includes(node) !== true) return `${host} has no proof of ${site} by ${node}`;
    }
  }
  return undefined;
}

interface BalancerView {
  readonly nodes: readonly { readonly name: string; readonly inRotation: boolean }[];
  readonly names: { readonly recent: readonly { readonly host: string; readonly provedBy: readonly string[] }[] };
}

/** SHA-256 fingerprint of the first certificate of a chain, as clients print it. */
export const fingerprintOf = (chainPem: string): string => new X509Certificate(chainPem).fingerprint256;
