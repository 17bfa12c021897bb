import { z } from "zod";

import { route } from "./route.ts";
import { list } from "./shapes.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);
const name = z.string().min(1).max(253);
const drillName = z.string().min(1).max(100);
const at = z.number();
const since = maybe(z.number()).describe("Milliseconds since it started");

const drillShape = z.object({
  name: z.string(),
  title: z.string(),
  does: z.string(),
  finding: z.string().describe("The doctor's finding that names it"),
  noticed: z.boolean().describe("The balancer leaves the node out for the host"),
  repair: z.boolean().describe("`repair` ends it"),
});

const scoreShape = z.object({
  id: z.string(),
  drill: z.string(),
  node: z.string(),
  host: z.string(),
  port: z.number(),
  by: z.string(),
  did: maybe(z.string()),
  state: z.enum(["running", "over"]),
  finding: z.string(),
  isToBeNoticed: z.boolean(),
  isWell: z.boolean().describe("It was noticed where it had to be, and no client met it after that"),
  startedAt: at,
  untilAt: at.describe("When it ends by itself"),
  watchedAt: maybe(at).describe("Until when clients were watched"),
  noticedAt: maybe(at),
  namedAt: maybe(at),
  endedAt: maybe(at),
  endedBy: maybe(z.string()),
  mendedAt: maybe(at),
  noticedMs: since,
  namedMs: since,
  mendedMs: since,
  clients: maybe(z.object({ dialled: z.number(), failed: z.number(), first: maybe(z.string()), lastAt: maybe(at) })).describe(
    "Handshakes through the balancer while it began, and how many of them failed",
  ),
});
const drills = z.object({ drills: list(scoreShape) });

/** Routes of drills. */
export const DRILL_ROUTES = {
  "drill.list": route({
    call: "GET /v1/drills",
    role: "viewer",
    summary: "Faults that the farm can be given on purpose, and the finding that names each",
    input: z.strictObject({}),
    output: z.object({ drills: list(drillShape) }),
  }),
  "drill.start": route({
    call: "POST /v1/drills",
    role: "admin",
    summary: "Puts a fault into a node, and watches what clients of the balancer meet until the node is left out",
    input: z.strictObject({
      name: drillName,
      node: maybe(name).describe("Absent = the last node that serves the host"),
      host: maybe(name).describe("Absent = the first host that two nodes have proved"),
      forMs: maybe(z.number().int().min(1_000).max(3_600_000)).describe("When it ends by itself; ten minutes when absent"),
      watchMs: maybe(z.number().int().min(0).max(60_000)).describe("How long clients are watched at most; 5,000 when absent"),
      by: maybe(z.string().min(1).max(200)),
    }),
    output: scoreShape,
  }),
  "drill.stop": route({
    call: "DELETE /v1/drills",
    role: "admin",
    summary: "Ends drills, and waits until their hosts are proved again",
    input: z.strictObject({ name: maybe(drillName).describe("Absent = all that run") }),
    output: drills,
  }),
  "drill.score": route({
    call: "GET /v1/drills/score",
    role: "viewer",
    summary: "How long each drill took to be noticed, named and mended; newest first",
    input: z.strictObject({ limit: maybe(z.coerce.number<number>().int().min(1).max(50)) }),
    output: drills,
  }),
} as const;
