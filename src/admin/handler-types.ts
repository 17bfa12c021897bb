import type { Caller } from "./caller.ts";
import type { RouteName, RouteOutput, RouteProgress, RouteQuestion } from "./routes.ts";

/** What a call works with. */
export interface CallContext<K extends RouteName> {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** Resolves when the caller can take more. */
  readonly onProgress: (progress: RouteProgress<K>) => Promise<void>;
}

/** What does the work of each route. */
export type Handlers = { readonly [K in RouteName]: (input: RouteQuestion<K>, context: CallContext<K>) => Promise<RouteOutput<K>> };

/** Handlers of the routes that need no farm. */
export type LocalHandlers = Pick<
  Handlers,
  | "audit.verifyFiles"
  | "certificates.check"
  | "config.export"
  | "config.validate"
  | "doctor.here"
  | "doctor.rules"
  | "iis.collect"
  | "iis.import"
  | "explain.evidence"
  | "repair.script"
  | "secrets.newKey"
>;
