import { z } from "zod";

import { repairActionShape } from "./report-shape.ts";
import { list } from "./shapes.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);

const stepShape = z.object({
  id: z.string().describe("The same step has the same id in the next plan"),
  findings: list(z.string()),
  action: repairActionShape,
  text: z.string().describe("What is done, in the imperative"),
  changes: z.string().describe("What doing so will change"),
});

/** What a repair would do, node by node. */
export const repairPlanShape = z.object({
  at: z.number(),
  findings: list(z.object({ id: z.string(), code: z.string(), summary: z.string() })).describe("Findings that the steps cure"),
  nodes: list(
    z.object({
      node: z.string(),
      steps: list(stepShape),
      mends: list(z.string()).describe("Hosts that this node does not serve now and should serve afterwards"),
    }),
  ).describe("In order; one after the other"),
  refused: list(z.object({ node: z.string(), findings: list(z.string()), why: z.string() })),
  manual: list(z.object({ finding: z.string(), node: maybe(z.string()), text: z.string() })).describe("What only a person can do"),
  interrupted: list(z.string()).describe("Repairs that ended in the middle; the next one finishes their node first"),
});

const stepStateShape = z.enum(["waiting", "begun", "acted", "proved", "no-better", "undone", "undo-failed", "failed"]);

/** A repair as it is in the journal. */
export const repairRunShape = z.object({
  id: z.string(),
  by: z.string(),
  startedAt: z.number(),
  endedAt: maybe(z.number()),
  outcome: z.enum(["running", "mended", "not-mended", "stopped", "interrupted"]),
  why: maybe(z.string()),
  nodes: list(
    z.object({
      node: z.string(),
      drained: z.enum(["no", "yes", "undrained", "by-others"]),
      steps: list(
        z.object({
          id: z.string(),
          action: repairActionShape,
          text: z.string(),
          state: stepStateShape,
          problem: maybe(z.string()),
          mended: maybe(z.number()).describe("Hosts that are served now and were not before"),
        }),
      ),
    }),
  ),
});

/** What is told of a repair under way. */
export const repairProgressShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("look"), phase: z.string(), done: z.number(), total: z.number() }),
  z.object({
    kind: z.literal("step"),
    node: z.string(),
    phase: z.enum(["recover", "drain", "act", "prove", "undo", "undrain"]),
    state: z.enum(["begun", "done", "failed"]),
    text: z.string(),
    done: z.number().describe("Steps that are behind"),
    total: z.number(),
  }),
]);

/** How a repair ended. */
export const repairResultShape = z.object({
  outcome: z.enum(["nothing-to-do", "mended", "not-mended", "stopped"]),
  run: maybe(repairRunShape),
  recovered: list(repairRunShape).describe("Repairs that had ended in the middle, and what became of them"),
  plan: repairPlanShape,
});
