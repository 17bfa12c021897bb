import { z } from "zod";

import { route } from "./route.ts";
import { list } from "./shapes.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);
const folder = z.string().min(1).max(255);
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** Web content: what is published, and by which nodes it is had. */
export const CONTENT_ROUTES = {
  "content.list": route({
    call: "GET /v1/content",
    role: "viewer",
    summary: "Published content folders, and which nodes have the newest of each",
    input: z.strictObject({}),
    output: z.object({
      folders: list(
        z.object({
          folder: z.string(),
          digest: maybe(z.string()),
          files: maybe(z.number()),
          bytes: maybe(z.number()),
          at: maybe(z.number()),
          from: maybe(z.enum(["folder", "push"])),
          problem: maybe(z.string()),
          nodes: list(z.object({ node: z.string(), isCurrent: z.boolean(), problem: maybe(z.string()) })),
        }),
      ),
    }),
  }),
  "content.publish": route({
    call: "POST /v1/content/{folder}",
    role: "operator",
    summary: "Makes a manifest whose files were sent to the store the folder's newest",
    input: z.strictObject({ folder, digest: digest.describe("Of the manifest's blob") }),
    output: z.object({ folder: z.string(), files: z.number(), bytes: z.number() }),
  }),
};
