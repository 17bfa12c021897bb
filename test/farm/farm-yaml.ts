import { stringify } from "yaml";

/** A site as farm.yaml writes it. */
export type SiteYaml = Readonly<Record<string, unknown>> & { readonly name: string };

/** Where a process of the farm listens. */
export interface Listens {
  readonly name: string;
  readonly https: number;
  readonly http: number;
  readonly health: number;
}

/** The four sites that go with DEFAULT_CERTIFICATES. */
export const DEFAULT_SITES: readonly SiteYaml[] = [
  {
    name: "shop",
    bindings: ["https://www.shop.localhost", "http://www.shop.localhost"],
    content: "shop",
    redirectToHttps: true,
  },
  { name: "api", bindings: ["https://api.shop.localhost"], content: "api" },
  { name: "apps", bindings: ["https://*.apps.localhost"], content: "apps" },
  { name: "legacy", bindings: ["https://legacy.shop.localhost"], content: "legacy" },
];

/** What a farm.yaml of a test is made of. */
export interface FarmYamlParts {
  readonly nodes: readonly Listens[];
  readonly balancer: Listens | undefined;
  readonly sites: readonly SiteYaml[];
  readonly tls?: Readonly<Record<string, unknown>>;
  readonly limits?: Readonly<Record<string, unknown>>;
  /** More of each node's or the balancer's own keys, e.g. `reconcile`. */
  readonly nodeKeys?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly balancerKeys?: Readonly<Record<string, unknown>>;
}

/** Everything on both loopback addresses; binding ports 443 and 80 are mapped to the ports given. */
export function farmYaml(parts: FarmYamlParts): string {
  const place = ({ https, http, health }: Listens): Readonly<Record<string, unknown>> => ({
    addresses: ["127.0.0.1", "::1"],
    ports: { 443: https, 80: http },
    health: `127.0.0.1:${health}`,
  });
  return stringify({
    farm: "test",
    nodes: parts.nodes.map((node) => ({ name: node.name, ...place(node), ...parts.nodeKeys?.[node.name] })),
    ...(parts.balancer === undefined ? {} : { balancer: { ...place(parts.balancer), ...parts.balancerKeys } }),
    sites: parts.sites,
    ...(parts.tls === undefined ? {} : { tls: parts.tls }),
    ...(parts.limits === undefined ? {} : { limits: parts.limits }),
  });
}

/** Content folders that these sites name. */
export const contentFolders = (sites: readonly SiteYaml[]): readonly string[] =>
  sites.flatMap((site) => (typeof site["content"] === "string" ? [site["content"]] : []));
