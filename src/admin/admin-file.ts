import { z } from "zod";

/** Where a farm's admin API is found: `local/admin.json` in the farm's folder. It names the token's file and never holds the token. */
export const adminFileShape = z.object({
  url: z.url({ protocol: /^https?$/ }),
  tokenFile: z.string().min(1),
  pid: z.exactOptional(z.number()),
});

/** The content of `local/admin.json`. */
export type AdminFile = z.output<typeof adminFileShape>;

/** Its path below a farm's folder. */
export const ADMIN_FILE = "local/admin.json";
