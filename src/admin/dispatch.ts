import type { z } from "zod";

import { FarmError } from "../base/index.ts";
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

/** Checks the caller's role and the input by the route's schema, then lets the handler work. @throws ADMIN_FORBIDDEN, ADMIN_INPUT_INVALID, and what the handler throws */
export function createDispatch(handlers: Partial<Handlers>): Dispatch {
  return async (name, input, context) => {
    requireRole(ROUTES[name], context.caller);
    const handler = handlers[name];
    if (handler === undefined) throw new FarmError("ADMIN_ROUTE_ABSENT", `${name} needs a farm, and there is none here`);
    const checked = checkInput(ROUTES[name], input);
    // Checked by the route's own schema; the union of handlers cannot be called without naming one.
    return (handler as (input: unknown, context: CallContext<RouteName>) => Promise<unknown>)(checked, context);
  };
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
