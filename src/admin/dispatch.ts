import type { z } from "zod";

import type { AuditTrail } from "../audit/index.ts";
import { FarmError } from "../base/index.ts";
import { auditedCall } from "./audit-call.ts";
import { requireRole, type Caller } from "./caller.ts";
import type { CallContext, Handlers } from "./handler-types.ts";
import type { Route } from "./route.ts";
import { ROUTES, type RouteName } from "./routes.ts";

/** How a call is made, whichever way it travels. `input` is checked here. */
export type Dispatch = (name: RouteName, input: unknown, context: DispatchContext) => Promise<unknown>;

/** What any call works with. */
export interface DispatchContext {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: unknown) => Promise<void>;
}

/**
 * Checks the caller's role and the input by the route's schema, then lets the handler work. Calls that change something are in the audit log before
 * they are begun. @throws ADMIN_FORBIDDEN, ADMIN_INPUT_INVALID, and what the handler throws
 */
export function createDispatch(handlers: Partial<Handlers>, audit?: Pick<AuditTrail, "change" | "note">): Dispatch {
  return async (name, input, context) => {
    const route: Route = ROUTES[name];
    requireRole(route, context.caller);
    const handler = handlers[name];
    if (handler === undefined) throw new FarmError("ADMIN_ROUTE_ABSENT", `${name} needs a farm, and there is none here`);
    const checked = asCaller(route, checkInput(route, input), context.caller);
    // Checked by the route's own schema; the union of handlers cannot be called without naming one.
    const work = () => (handler as (input: unknown, context: CallContext<RouteName>) => Promise<unknown>)(checked, context);
    if (audit === undefined || !route.changes) return work();
    const call = auditedCall(name, route, checked, context.caller);
    if (route.role !== "newcomer") return audit.change(call, work);
    // Whoever has shown nothing could fill the log with what is refused.
    const result = await work();
    await audit.note(call, { outcome: "done" });
    return result;
  };
}

/** Only whoever has the token file says by which name; others have the name of their token or certificate. */
function asCaller(route: Route, input: unknown, { name, by }: Caller): unknown {
  if (by === "local" || !("by" in route.input.shape)) return input;
  return { ...(typeof input === "object" ? input : {}), by: name };
}

function checkInput(route: Route, input: unknown): unknown {
  const parsed = route.input.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.slice(0, 20).map(describeIssue);
  throw new FarmError("ADMIN_INPUT_INVALID", `${route.method} ${route.path}: ${problems.join("; ")}`, { facts: { problems } });
}

function describeIssue({ path, message }: z.core.$ZodIssue): string {
  return path.length === 0 ? message : `${path.map(String).join(".")}: ${message}`;
}
