import { addressFor, proxyNote, shared, type Front, type Lane } from "./front.ts";

/** AWS takes up to an hour. */
const MOST_DELAY_S = 3_600;

/**
 * A CloudFormation template of a Network Load Balancer: one listener and one target group a port, nodes by address. It looks into no
 * connection; the HTTP check decides for a node and all hosts. @throws EXPORT_NOT_POSSIBLE when health ports differ between nodes
 */
export function exportAws(front: Front): string {
  const healthPort = shared(front, "health port", ({ health }) => health.port);
  const lanes = front.lanes.map((lane) => ({ lane, id: `${lane.protocol === "https" ? "Https" : "Http"}${lane.bindingPort}` }));
  return `${JSON.stringify(
    {
      AWSTemplateFormatVersion: "2010-09-09",
      Description: `Network Load Balancer in front of the farm ${front.farm}: made by certfarm export aws out of farm.yaml`,
      Metadata: { Comments: comments(front, healthPort) },
      Parameters: PARAMETERS,
      Resources: {
        LoadBalancer: LOAD_BALANCER,
        ...Object.fromEntries(
          lanes.flatMap(({ lane, id }) => [
            [`${id}Targets`, targetGroup(front, lane, healthPort)],
            [`${id}Listener`, listener(lane, id)],
          ]),
        ),
      },
      Outputs: {
        Name: {
          Description: "Name that clients' host names point to (CNAME or alias)",
          Value: { "Fn::GetAtt": ["LoadBalancer", "DNSName"] },
        },
      },
    },
    undefined,
    2,
  )}\n`;
}

function comments(front: Front, healthPort: number): readonly string[] {
  return [
    "Make it anew with certfarm export aws when nodes or ports change.",
    "Fill in the parameters: the VPC of the nodes, and a subnet in each of their availability zones.",
    `Let the load balancer's subnets through to port ${healthPort} of every node, and nobody else but balancers.`,
    proxyNote(front),
    "A check sees no host name. /readyz says 200 while a node proves at least one host; with the path /readyz?group=0/1 a node is out as soon as it fails for any of its hosts.",
    "A node that is drained, or shuts down, answers not ready: it gets no new connections, and those it has go on.",
  ];
}

const PARAMETERS = {
  VpcId: { Type: "AWS::EC2::VPC::Id", Description: "VPC of the nodes" },
  SubnetIds: { Type: "List<AWS::EC2::Subnet::Id>", Description: "A subnet in each availability zone that has nodes" },
  Scheme: {
    Type: "String",
    Default: "internet-facing",
    AllowedValues: ["internet-facing", "internal"],
    Description: "internet-facing, or internal for clients of the VPC only",
  },
};

const LOAD_BALANCER = {
  Type: "AWS::ElasticLoadBalancingV2::LoadBalancer",
  Properties: {
    Type: "network",
    Scheme: { Ref: "Scheme" },
    Subnets: { Ref: "SubnetIds" },
    LoadBalancerAttributes: [{ Key: "load_balancing.cross_zone.enabled", Value: "true" }],
  },
};

/** With PROXY headers the connection comes from the load balancer, whom `trustedBy` names; without, from the client. */
function targetGroup(front: Front, lane: Lane, healthPort: number) {
  const { proxyProtocol, drainTimeoutMs, mode } = front.settings;
  const attributes: Readonly<Record<string, string>> = {
    "proxy_protocol_v2.enabled": String(proxyProtocol),
    "preserve_client_ip.enabled": String(!proxyProtocol),
    "deregistration_delay.timeout_seconds": String(Math.min(MOST_DELAY_S, Math.ceil(drainTimeoutMs / 1_000))),
    ...(mode === "source" ? { "stickiness.enabled": "true", "stickiness.type": "source_ip" } : {}),
  };
  return {
    Type: "AWS::ElasticLoadBalancingV2::TargetGroup",
    Properties: {
      VpcId: { Ref: "VpcId" },
      Protocol: "TCP",
      Port: lane.bindingPort,
      TargetType: "ip",
      // There are no weights: a node of weight 0 stays out.
      Targets: front.nodes.filter(({ weight }) => weight > 0).map((node) => ({ Id: addressFor(node, 4), Port: lane.nodePort(node) })),
      HealthCheckEnabled: true,
      HealthCheckProtocol: "HTTP",
      HealthCheckPort: String(healthPort),
      HealthCheckPath: "/readyz",
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
      HealthyThresholdCount: 2,
      UnhealthyThresholdCount: 2,
      Matcher: { HttpCode: "200" },
      TargetGroupAttributes: Object.entries(attributes).map(([Key, Value]) => ({ Key, Value })),
    },
  };
}

const listener = (lane: Lane, id: string) => ({
  Type: "AWS::ElasticLoadBalancingV2::Listener",
  Properties: {
    LoadBalancerArn: { Ref: "LoadBalancer" },
    Protocol: "TCP",
    Port: lane.port,
    DefaultActions: [{ Type: "forward", TargetGroupArn: { Ref: `${id}Targets` } }],
  },
});
