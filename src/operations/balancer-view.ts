import { get } from "node:http";

import { z } from "zod";

import { formatEndpoint, systemCode, type Endpoint } from "../base/index.ts";

/** The balancer as its own state endpoint tells it. */
export type BalancerView =
  | { readonly kind: "absent" }
  | { readonly kind: "silent"; readonly url: string; readonly problem: string }
  | {
      readonly kind: "answers";
      readonly url: string;
      readonly connections: { readonly active: number; readonly accepted: number };
      readonly failOpen: number;
      readonly nodes: readonly BalancerNode[];
      /** The names used last, with the nodes that get no connections for them. */
      readonly names: readonly { readonly host: string; readonly port: number; readonly failedBy: readonly string[] }[];
    };

/** A node as the balancer sees it. */
export interface BalancerNode {
  readonly name: string;
  readonly health: string;
  readonly problem?: string;
  readonly inRotation: boolean;
  readonly draining: boolean;
  readonly drained: boolean;
  readonly connections: number;
}

const DEADLINE_MS = 1_500;
const MAX_BYTES = 8 << 20;

const STATE = z.object({
  nodes: z.array(
    z.object({
      name: z.string(),
      health: z.string(),
      problem: z.exactOptional(z.string()),
      inRotation: z.boolean(),
      draining: z.boolean(),
      drained: z.boolean(),
      connections: z.number(),
    }),
  ),
  connections: z.object({ active: z.number(), accepted: z.number() }),
  failOpen: z.object({ total: z.number() }),
  names: z.object({ recent: z.array(z.object({ host: z.string(), port: z.number(), failedBy: z.array(z.string()) })) }),
});

/** Asks the balancer's health endpoint. Never throws: that it does not answer is an answer. */
export async function lookAtBalancer(health: Endpoint | undefined): Promise<BalancerView> {
  if (health === undefined) return { kind: "absent" };
  const url = `http://${formatEndpoint(health)}/state`;
  try {
    const state = STATE.parse(JSON.parse(await fetchText(url)));
    const { connections, failOpen, nodes, names } = state;
    return { kind: "answers", url, connections, failOpen: failOpen.total, nodes, names: names.recent };
  } catch (error) {
    return { kind: "silent", url, problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (error instanceof z.ZodError || error instanceof SyntaxError) return "what answers there is no certfarm balancer";
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error));
}

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { signal: AbortSignal.timeout(DEADLINE_MS) }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) request.destroy(new Error(`its answer is larger than ${MAX_BYTES} bytes`));
        else chunks.push(chunk);
      });
      response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
      response.on("error", reject);
    });
    request.on("error", reject);
  });
}
