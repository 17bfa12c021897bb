import { z } from "zod";

import { list, revisionShape } from "./shapes.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);

const reportShape = z.object({
  node: z.string(),
  at: z.number(),
  startedAt: z.number(),
  pid: z.number(),
  version: z.string(),
  nodeVersion: z.string(),
  revision: z.number(),
  digest: z.string(),
  revisionProblem: maybe(z.string()),
  staleSince: maybe(z.number()),
  identity: maybe(
    z.object({
      serial: z.string(),
      notAfter: z.number(),
      revoked: z.boolean(),
      renewalFailing: maybe(z.object({ since: z.number(), problem: z.string() })),
    }),
  ),
  listeners: list(
    z.object({
      address: z.string(),
      bindingPort: z.number(),
      port: z.number(),
      protocol: z.enum(["http", "https"]),
      problem: maybe(z.string()),
      code: maybe(z.string()).describe("The problem as a code of docs/errors.md"),
    }),
  ),
  table: z.object({ rows: z.number(), drift: list(z.string()), reconcile: z.enum(["mend", "observe"]) }),
  content: list(z.object({ folder: z.string(), digest: z.string(), files: z.number(), problem: maybe(z.string()) })),
  proof: z.object({ proved: z.number(), failed: z.number(), pending: z.number() }),
  refusals: z.object({ total: z.number(), byReason: z.record(z.string(), z.number()).readonly() }),
  handshakes: z.object({ served: z.number(), resumed: z.number() }),
  certificates: z.object({ listed: z.number(), read: z.number(), unusable: z.number() }),
  draining: z.boolean(),
  resources: z.object({ rssBytes: z.number(), connections: z.number(), liveNames: z.number(), cpuSeconds: z.number() }),
});

const nodeShape = z.object({
  node: z.string(),
  state: z.enum(["reporting", "silent", "absent"]),
  configured: z.boolean(),
  drained: z.boolean(),
  ageMs: maybe(z.number()),
  report: maybe(reportShape),
});

const balancerShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("absent") }),
  z.object({ kind: z.literal("silent"), url: z.string(), problem: z.string() }),
  z.object({
    kind: z.literal("answers"),
    url: z.string(),
    connections: z.object({ active: z.number(), accepted: z.number() }),
    failOpen: z.number(),
    nodes: list(
      z.object({
        name: z.string(),
        health: z.string(),
        problem: maybe(z.string()),
        inRotation: z.boolean(),
        draining: z.boolean(),
        drained: z.boolean(),
        connections: z.number(),
      }),
    ),
  }),
]);

const matrixShape = z.object({
  nodes: list(z.string()),
  rows: list(
    z.object({
      host: z.string(),
      port: z.number(),
      cells: list(
        z.object({
          verdict: z.enum(["proved", "failed", "pending", "unknown"]),
          thumbprint: maybe(z.string()),
          problem: maybe(z.string()),
        }),
      ),
      differs: z.boolean(),
    }),
  ),
  known: z.number(),
  cut: z.boolean(),
});

/** Everything worth knowing of a farm at a glance. */
export const statusShape = z.object({
  at: z.number(),
  farm: maybe(z.string()),
  store: z.string(),
  revision: maybe(revisionShape),
  configProblem: maybe(z.object({ problems: list(z.string()), at: z.number() })),
  nodes: list(nodeShape),
  drains: list(z.object({ node: z.string(), by: z.string(), at: z.number() })),
  balancer: balancerShape,
  matrix: matrixShape,
  problems: list(z.string()).describe("What is wrong, a sentence each; empty = all is well"),
});
