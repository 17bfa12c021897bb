import { createLog, systemClock, type Endpoint } from "../../base/index.ts";
import type { BalancerConfig, NodeConfig } from "../../config/index.ts";
import type { BalancerSettings, BalancerTuning } from "../settings.ts";
import { startBalancer, type Balancer } from "../start-balancer.ts";
import { FakeNode, freePort, LOOPBACK, type Behaviour } from "./fake-node.ts";

/** A balancer over fake nodes, and its log. */
export interface TestFarm {
  readonly balancer: Balancer;
  readonly nodes: readonly FakeNode[];
  readonly port: number;
  readonly httpPort: number;
  readonly health: Endpoint;
  readonly settings: BalancerSettings;
  /** Lines of the log, parsed. */
  readonly log: readonly Record<string, unknown>[];
}

const opened: { close(): Promise<unknown> }[] = [];

/** Ends everything that openFarm and keep took charge of. */
export async function closeFarms(): Promise<void> {
  for (const thing of opened.splice(0).reverse()) await thing.close();
}

/** Closes a thing at the end of the test. */
export function keep<T extends { close(): Promise<unknown> }>(thing: T): T {
  opened.push(thing);
  return thing;
}

/** What a test's farm differs in from the usual. */
export interface FarmOptions {
  readonly nodes?: readonly string[];
  readonly behaviour?: Behaviour;
  readonly config?: Partial<BalancerConfig>;
  readonly tuning?: Partial<BalancerTuning>;
  /** What a node's row in farm.yaml differs in. */
  readonly row?: (node: FakeNode) => Partial<NodeConfig>;
  /** Called before the balancer starts. */
  readonly prepare?: (nodes: readonly FakeNode[]) => void | Promise<void>;
}

/** Starts fake nodes and a balancer in front of them. */
export async function openFarm(options: FarmOptions = {}): Promise<TestFarm> {
  const names = options.nodes ?? ["web1", "web2"];
  const nodes: FakeNode[] = [];
  for (const name of names) {
    nodes.push(keep(await FakeNode.open(name, options.behaviour === undefined ? {} : { behaviour: options.behaviour })));
  }
  await options.prepare?.(nodes);
  const [port, httpPort, healthPort] = [await freePort(), await freePort(), await freePort()];
  const health = { address: LOOPBACK, port: healthPort };
  const ports = new Map([
    [443, port],
    [80, httpPort],
  ]);
  const settings: BalancerSettings = {
    balancer: { ...USUAL, addresses: [LOOPBACK], ports, health, ...options.config },
    nodes: nodes.map((node) => node.config(options.row?.(node))),
    protocols: new Map([
      [443, "https"],
      [80, "http"],
    ]),
  };
  const log: Record<string, unknown>[] = [];
  const balancer = keep(
    await startBalancer({
      config: settings,
      clock: systemClock,
      log: createLog({ write: (line) => log.push(JSON.parse(line) as Record<string, unknown>), now: () => Date.now() }), // our own JSON
      tuning: { pollIntervalMs: 50, pollTimeoutMs: 500, helloTimeoutMs: 300, nameWaitMs: 300, ejectMs: 300, ...options.tuning },
    }),
  );
  return { balancer: keepShort(balancer), nodes, port, httpPort, health, settings, log };
}

/** Tests do not wait for the drain time-out at their end. */
function keepShort(balancer: Balancer): Balancer {
  opened[opened.length - 1] = { close: () => balancer.close({ graceMs: 0 }) };
  return balancer;
}

const USUAL: Omit<BalancerConfig, "addresses" | "ports" | "health"> = {
  mode: "round-robin",
  proxyProtocol: false,
  trustedBy: [],
  connectTimeoutMs: 1000,
  idleTimeoutMs: 60_000,
  drainTimeoutMs: 60_000,
};

/** Settles when the condition holds; looks every few milliseconds, for what has no event. */
export async function eventually(condition: () => boolean, withinMs = 5000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still not so after ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => void setTimeout(resolve, 5));
  }
}
