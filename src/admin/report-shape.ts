import { z } from "zod";

import { list, rowKeyShape } from "./shapes.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);

/** What identifies a row of any HTTP.sys: certfarm's kinds, and scoped central rows. */
const evidenceRowKeyShape = z.discriminatedUnion("kind", [
  ...rowKeyShape.options,
  z.object({ kind: z.literal("scoped-central"), host: z.string(), port: z.number() }),
]);

const evidenceRowShape = z.object({
  key: evidenceRowKeyShape,
  thumbprint: maybe(z.string()),
  file: maybe(z.string()),
  storeName: maybe(z.string()),
  appId: maybe(z.string()),
  options: z.record(z.string(), z.string()).readonly(),
});

/** What a node can be told to do again. */
export const resyncPartShape = z.enum(["table", "certificates", "configuration", "ticket-keys", "listeners"]);

/** A typed step that cures. */
export const repairActionShape = z.discriminatedUnion("do", [
  z.object({ do: z.literal("add-central-row"), node: z.string(), port: z.number() }),
  z.object({ do: z.literal("delete-row"), node: z.string(), key: evidenceRowKeyShape, row: evidenceRowShape }),
  z.object({ do: z.literal("resync"), node: z.string(), part: resyncPartShape, host: maybe(z.string()) }),
  z.object({ do: z.literal("set-central-store"), node: z.string(), location: z.string(), user: maybe(z.string()) }),
  z.object({ do: z.literal("manual"), node: maybe(z.string()), text: z.string() }),
]);

const severityShape = z.enum(["error", "warning", "notice"]);

/** A named cause with its proof. Text of peers in it is not yet safe to print. */
export const findingShape = z.object({
  id: z.string().describe("The same finding has the same id in the next run"),
  code: z.string(),
  title: z.string(),
  severity: severityShape,
  differs: z.boolean().describe("Some of the nodes that are meant to serve these hosts are not concerned"),
  summary: z.string(),
  nodes: list(z.string()),
  hosts: list(z.string()),
  proof: list(z.object({ text: z.string(), source: z.string() })),
  remedy: z.string(),
  effect: z.string(),
  actions: list(repairActionShape),
  explains: list(
    z.object({ node: z.string(), host: z.string(), endpoint: maybe(z.object({ address: z.string(), port: z.number() })) }),
  ).describe("Symptoms that this is the cause of"),
  certainty: z.enum(["certain", "likely"]),
  others: maybe(list(z.string())),
  decides: maybe(z.string()),
});

const cellStateShape = z.enum([
  "ok",
  "not-looked",
  "no-connection",
  "no-handshake",
  "wrong-name",
  "validity",
  "untrusted",
  "differs",
  "request-failed",
]);

const cellShape = z.object({
  state: cellStateShape,
  text: z.string(),
  thumbprint: maybe(z.string()),
  notAfter: maybe(z.number()),
  protocol: maybe(z.string()),
  alpn: maybe(z.string()),
  status: maybe(z.number()),
  tookMs: maybe(z.number()),
  explainedBy: maybe(list(z.string())),
});

/** What the doctor tells: a matrix host × node, and the findings. */
export const reportShape = z.object({
  at: z.number(),
  nodes: list(
    z.object({
      name: z.string(),
      role: z.enum(["node", "balancer"]),
      make: maybe(z.enum(["certfarm", "iis", "nginx", "haproxy"])),
    }),
  ),
  matrix: list(z.object({ host: z.string(), cells: list(cellShape) })),
  findings: list(findingShape),
  rules: list(
    z.object({
      code: z.string(),
      status: z.enum(["found", "passed", "not-applicable", "could-not-look", "failed"]),
      why: maybe(z.string()),
    }),
  ),
  gaps: list(z.object({ node: maybe(z.string()), what: z.string(), why: z.string() })),
});

/** How far looking has come; phases are `evidence`, `files`, `dns`, `probes`, `deep`, `rules`. */
export const lookProgressShape = z.object({ phase: z.string(), done: z.number(), total: z.number() });

/** A rule as data. */
export const ruleShape = z.object({
  code: z.string(),
  title: z.string(),
  severity: severityShape,
  tier: z.enum(["node", "host", "wire"]),
  source: z.string(),
  explains: z.string(),
  remedy: z.string(),
});
