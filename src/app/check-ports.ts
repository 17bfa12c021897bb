import { once } from "node:events";
import { createServer } from "node:net";

import { FarmError, formatEndpoint, systemCode, type Endpoint } from "../base/index.ts";
import { servedPorts, type FarmConfig } from "../config/index.ts";

/** An address that a process of the farm will listen on. */
interface Wanted extends Endpoint {
  readonly by: string;
}

/** Only what no process can get later is told here; an address that the machine lacks is the node's to report. */
const FATAL: Readonly<Record<string, string>> = {
  EADDRINUSE: "another process uses it",
  EACCES: "this account may not listen there (ports below 1024 need the right to bind them)",
};

/** Tries every port that the farm's processes will listen on. @throws FARM_NOT_STARTED that names each that cannot be had */
export async function checkPorts(config: FarmConfig): Promise<void> {
  const problems: string[] = [];
  for (const wanted of wantedPorts(config)) {
    const problem = FATAL[(await tryPort(wanted)) ?? ""];
    if (problem !== undefined) problems.push(`${formatEndpoint(wanted)} for ${wanted.by}: ${problem}`);
  }
  if (problems.length === 0) return;
  throw new FarmError("FARM_NOT_STARTED", `the farm cannot start: ${problems.slice(0, 20).join("; ")}`, { facts: { problems } });
}

function wantedPorts(config: FarmConfig): readonly Wanted[] {
  const ports = servedPorts(config).map(({ port }) => port);
  const roles = [
    ...config.nodes.map((node) => ({ by: node.name, ...node })),
    ...(config.balancer === undefined ? [] : [{ by: "the balancer", ...config.balancer }]),
  ];
  const wanted = roles.flatMap(({ by, addresses, ports: mapped, health }) => [
    ...addresses.flatMap((address) => ports.map((port) => ({ by, address, port: mapped.get(port) ?? port }))),
    { by: `the health endpoint of ${by}`, ...health },
  ]);
  return wanted.filter(({ port }) => port > 0);
}

/** The system's error code; undefined = it can be had. */
async function tryPort({ address, port }: Endpoint): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host: address, port, exclusive: true, ipv6Only: address.includes(":") });
    await once(server, "listening");
    server.close();
    await once(server, "close");
    return undefined;
  } catch (error) {
    return systemCode(error);
  }
}
