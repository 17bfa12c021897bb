import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

import type { AuditTrail, PinnedHead } from "../audit/index.ts";
import { FarmError, systemCode } from "../base/index.ts";
import type { CallContext, Handlers, LocalHandlers } from "./handler-types.ts";
import type { RouteOutput, RouteQuestion } from "./routes.ts";
import type { Tokens } from "./tokens.ts";

/** What the handlers of access work with. */
export interface AccessParts {
  readonly tokens: Tokens;
  readonly audit: AuditTrail;
}

/** What does the work of routes of access. */
export type AccessHandlers = Pick<Handlers, "token.add" | "token.list" | "token.revoke" | "audit.list" | "audit.verify" | "audit.export">;

const ENTRIES = 50;

/** Handlers of tokens and of the audit log. */
export function createAccessHandlers({ tokens, audit }: AccessParts): AccessHandlers {
  return {
    "token.add": async ({ name, role, ttlMs }, { caller }) => {
      const { facts, token } = await tokens.add({ name, role, by: caller.name, ...(ttlMs === undefined ? {} : { ttlMs }) });
      return { ...facts, token: token.reveal() };
    },
    "token.list": async () => ({ tokens: await tokens.list() }),
    "token.revoke": ({ which }) => tokens.revoke(which),
    "audit.list": ({ after, limit = ENTRIES }) => audit.list({ limit, ...(after === undefined ? {} : { after }) }),
    "audit.verify": ({ pin }) => audit.verify(pin === undefined ? undefined : pinOf(pin)),
    "audit.export": (input, context) => exportLog(audit, input, context),
  };
}

/** Handlers of the audit log that need no farm. */
export const localAccess: Pick<LocalHandlers, "audit.verifyFiles"> = {
  "audit.verifyFiles": async ({ files, pin, authorityPem }) => {
    const { verifyExport } = await import("../audit/index.ts");
    return verifyExport(linesOf(files), {
      ...(pin === undefined ? {} : { pin: pinOf(pin) }),
      ...(authorityPem === undefined ? {} : { trust: { authorityPem } }),
    });
  },
};

function pinOf(text: string): PinnedHead {
  const [seq = "", digest = ""] = text.split(":");
  return { seq: Number(seq), digest };
}

async function exportLog(
  audit: AuditTrail,
  { after }: RouteQuestion<"audit.export">,
  { onProgress }: CallContext<"audit.export">,
): Promise<RouteOutput<"audit.export">> {
  let entries = 0;
  let head: PinnedHead = { seq: after ?? 0, digest: "" };
  for await (const line of audit.export(after)) {
    entries += 1;
    if (line.entry !== undefined && line.digest !== undefined) head = { seq: line.entry.seq, digest: line.digest };
    await onProgress(line);
  }
  return { entries, head };
}

const MAX_LINE = 64 * 1024;

async function* linesOf(files: readonly string[]): AsyncGenerator<string> {
  for (const file of files) {
    try {
      for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
        if (line !== "") yield line.slice(0, MAX_LINE);
      }
    } catch (error) {
      if (error instanceof FarmError) throw error;
      throw new FarmError("INPUT_FILE_UNUSABLE", `${file} cannot be read: ${systemCode(error) ?? String(error)}`, { cause: error });
    }
  }
}
