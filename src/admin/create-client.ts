import { FarmError } from "../base/index.ts";
import type { Route } from "./route.ts";
import { ROUTES, type RouteInput, type RouteName, type RouteOutput, type RouteProgress } from "./routes.ts";

/** Carries a call to where it is done and its answer back. The answer is plain JSON data. */
export type Transport = (name: RouteName, input: unknown, context: TransportContext) => Promise<unknown>;

/** What a transport works with. */
export interface TransportContext {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: unknown) => void;
}

/** What a caller may add to a call. */
export interface CallSettings<K extends RouteName> {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RouteProgress<K>) => void;
}

/** The admin API as one typed function. */
export interface AdminClient {
  /** @throws what the route throws, as a FarmError @throws ADMIN_ANSWER_UNUSABLE for an answer that is not as the table says */
  call<K extends RouteName>(name: K, input: RouteInput<K>, settings?: CallSettings<K>): Promise<RouteOutput<K>>;
}

/** A client over any transport; calls without a signal of their own heed `defaultSignal`. Answers are checked by the route's schema, so that another version's are told, not misread. */
export function createClient(transport: Transport, defaultSignal: AbortSignal = new AbortController().signal): AdminClient {
  return {
    async call(name, input, settings = {}) {
      const route: Route = ROUTES[name];
      const { onProgress, signal = defaultSignal } = settings;
      const result = await transport(name, input, {
        signal,
        onProgress: (progress) => {
          // The schema's type is the route's own.
          if (onProgress !== undefined && route.progress !== undefined) onProgress(checked(route.progress, progress, name) as never);
        },
      });
      return checked(route.output, result, name) as never; // as above
    },
  };
}

function checked(shape: Route["output"], value: unknown, name: RouteName): unknown {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0];
  const where = first === undefined || first.path.length === 0 ? "" : ` at ${first.path.map(String).join(".")}`;
  throw new FarmError("ADMIN_ANSWER_UNUSABLE", `the answer to ${name} is not as expected${where}: ${first?.message ?? "unknown"}`);
}
