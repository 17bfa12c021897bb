/** Ports of the demo farm, all derived from one base so that they are easy to remember. */
export interface DemoPorts {
  readonly balancer: { readonly https: number; readonly http: number; readonly health: number };
  readonly nodes: readonly { readonly name: string; readonly https: number; readonly http: number; readonly health: number }[];
}

const NODE_NAMES = ["web1", "web2", "web3", "web4"] as const;

/** The balancer at base + 443 and base + 80, each node one thousand above the one before. */
export function demoPorts(base: number): DemoPorts {
  return {
    balancer: { https: base + 443, http: base + 80, health: base + 90 },
    nodes: NODE_NAMES.map((name, index) => {
      const offset = base + 1000 * (index + 1);
      return { name, https: offset + 443, http: offset + 80, health: offset + 90 };
    }),
  };
}

/** The demo farm's configuration. Names end in `.localhost`, which browsers and curl resolve to this machine by themselves (RFC 6761). */
export function demoYaml(ports: DemoPorts): string {
  const nodes = ports.nodes.map(
    ({ name, https, http, health }) => `  - name: ${name}
    addresses: [127.0.0.1, "::1"]
    ports: { 443: ${https}, 80: ${http} }
    health: 127.0.0.1:${health}`,
  );
  return `# The demo farm: four nodes and a balancer on this machine. Change it, save it, and look at \`certfarm status\`.
farm: demo

nodes:
${nodes.join("\n")}

balancer:
  addresses: [127.0.0.1, "::1"]
  ports: { 443: ${ports.balancer.https}, 80: ${ports.balancer.http} }
  mode: five-tuple
  proxyProtocol: true
  health: 127.0.0.1:${ports.balancer.health}

sites:
  - name: shop                        # certificates/www.shop.localhost.pfx
    bindings: [https://www.shop.localhost, http://www.shop.localhost]
    content: shop
    redirectToHttps: true

  - name: api                         # an RSA and an ECDSA certificate side by side
    bindings: [https://api.shop.localhost]
    content: api

  - name: apps                        # the wildcard certificate _.apps.localhost.pfx
    bindings: [https://*.apps.localhost]
    content: apps

  - name: legacy                      # a PFX as Windows Server 2012 writes it
    bindings: [https://legacy.shop.localhost]
    content: legacy

limits:
  nodeHeader: X-Served-By
`;
}
