import { addressFor, shared, type Front, type Lane } from "./front.ts";

const SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#";
const VERSION = "2023-11-01";
/** Azure takes whole minutes from 4 to 100. */
const LEAST_IDLE_MIN = 4;
const MOST_IDLE_MIN = 100;
const FRONTEND = "clients";
const POOL = "nodes";
const PROBE = "readyz";

const ID = "resourceId('Microsoft.Network/loadBalancers/{kind}', parameters('name'), '{child}')";
const idOf = (kind: string, child: string): { readonly id: string } => ({
  id: `[${ID.replace("{kind}", kind).replace("{child}", child)}]`,
});

/**
 * An ARM template of a Standard Load Balancer with a public address. It looks into no connection; one HTTP probe decides for a node and all
 * hosts. @throws EXPORT_NOT_POSSIBLE when ports or health ports differ between nodes: rules and probes have one port for all
 */
export function exportAzure(front: Front): string {
  const healthPort = shared(front, "health port", ({ health }) => health.port);
  return `${JSON.stringify(
    {
      $schema: SCHEMA,
      contentVersion: "1.0.0.0",
      metadata: { comments: comments(front, healthPort) },
      parameters: parameters(front),
      resources: [publicAddress(), loadBalancer(front, healthPort)],
      outputs: {
        address: {
          type: "string",
          value: "[reference(resourceId('Microsoft.Network/publicIPAddresses', parameters('publicAddressName'))).ipAddress]",
        },
      },
    },
    undefined,
    2,
  )}\n`;
}

function comments(front: Front, healthPort: number): readonly string[] {
  return [
    `Azure Load Balancer in front of the farm ${front.farm}: made by certfarm export azure out of farm.yaml. Make it anew when nodes or ports change.`,
    "Fill in the parameters that have no default: the virtual network that the nodes' addresses belong to.",
    `Let the service tag AzureLoadBalancer (168.63.129.16) through to port ${healthPort} of every node, and nobody else but balancers.`,
    "The load balancer sends no PROXY header: nodes see the client's own address. Leave floating IP off, or bind sites to every address.",
    "A probe sees no host name. /readyz says 200 while a node proves at least one host; with the path /readyz?group=0/1 a node is out as soon as it fails for any of its hosts.",
    "A node that is drained, or shuts down, answers not ready: it gets no new connections, and those it has go on.",
  ];
}

function parameters({ farm }: Front) {
  const text = (defaultValue: string | undefined, description: string) => ({
    type: "string",
    ...(defaultValue === undefined ? {} : { defaultValue }),
    metadata: { description },
  });
  return {
    name: text(`certfarm-${farm}`, "Name of the load balancer."),
    publicAddressName: text(`certfarm-${farm}-address`, "Name of the public address that clients dial."),
    location: text("[resourceGroup().location]", "Region of everything here."),
    virtualNetworkId: text(
      undefined,
      "Resource id of the virtual network that the nodes' addresses belong to: az network vnet show --query id.",
    ),
  };
}

const publicAddress = () => ({
  type: "Microsoft.Network/publicIPAddresses",
  apiVersion: VERSION,
  name: "[parameters('publicAddressName')]",
  location: "[parameters('location')]",
  sku: { name: "Standard" },
  properties: { publicIPAllocationMethod: "Static", publicIPAddressVersion: "IPv4" },
});

function loadBalancer(front: Front, healthPort: number) {
  const publicIPAddress = { id: "[resourceId('Microsoft.Network/publicIPAddresses', parameters('publicAddressName'))]" };
  return {
    type: "Microsoft.Network/loadBalancers",
    apiVersion: VERSION,
    name: "[parameters('name')]",
    location: "[parameters('location')]",
    sku: { name: "Standard" },
    dependsOn: ["[resourceId('Microsoft.Network/publicIPAddresses', parameters('publicAddressName'))]"],
    properties: {
      frontendIPConfigurations: [{ name: FRONTEND, properties: { publicIPAddress } }],
      backendAddressPools: [{ name: POOL, properties: { loadBalancerBackendAddresses: backends(front) } }],
      probes: [
        {
          name: PROBE,
          properties: { protocol: "Http", port: healthPort, requestPath: "/readyz", intervalInSeconds: 5, probeThreshold: 1 },
        },
      ],
      loadBalancingRules: front.lanes.map((lane) => rule(front, lane)),
    },
  };
}

/** Azure knows no weights: a node of weight 0 stays out. */
const backends = (front: Front) =>
  front.nodes
    .filter(({ weight }) => weight > 0)
    .map((node) => ({
      name: node.name,
      properties: { ipAddress: addressFor(node, 4), virtualNetwork: { id: "[parameters('virtualNetworkId')]" } },
    }));

function rule(front: Front, lane: Lane) {
  const minutes = Math.ceil(front.settings.idleTimeoutMs / 60_000);
  return {
    name: `${lane.protocol}-${lane.bindingPort}`,
    properties: {
      frontendIPConfiguration: idOf("frontendIPConfigurations", FRONTEND),
      backendAddressPool: idOf("backendAddressPools", POOL),
      probe: idOf("probes", PROBE),
      protocol: "Tcp",
      frontendPort: lane.port,
      backendPort: shared(front, `port for binding port ${lane.bindingPort}`, lane.nodePort),
      idleTimeoutInMinutes: Math.min(MOST_IDLE_MIN, Math.max(LEAST_IDLE_MIN, minutes)),
      enableTcpReset: true,
      enableFloatingIP: false,
      disableOutboundSnat: true,
      loadDistribution: front.settings.mode === "source" ? "SourceIP" : "Default",
    },
  };
}
