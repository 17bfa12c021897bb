import type { z } from "zod";

/** Who a route is for (caller.ts says whom each lets in). */
export type RouteRole = "viewer" | "operator" | "admin" | "member" | "newcomer";

/** One thing the admin API does. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `{name}` parts come from the input. GET and DELETE take the rest of it from the query, the others from a JSON body. */
  readonly path: string;
  readonly summary: string;
  readonly role: RouteRole;
  /** The call is written into the audit log before and after it is done. */
  readonly changes: boolean;
  readonly input: z.ZodObject;
  /** Names of inputs that are secret: never written into a log, and never sent over a network in the clear. */
  readonly hidden: readonly string[];
  readonly output: z.ZodType;
  /** The answer is a stream of JSON lines: any number of `{"progress": …}`, then `{"result": …}` or `{"error": …}`. */
  readonly progress?: z.ZodType;
  /** `here`: concerns files of the caller's own machine, so it is done in the caller's process and never over HTTP. */
  readonly place: "farm" | "here";
}

/** A row of the table of routes. */
export const route = <I extends z.ZodObject, O extends z.ZodType, P extends z.ZodType = z.ZodNever>(settings: {
  readonly call: `${Route["method"]} /${string}`;
  readonly summary: string;
  readonly role: RouteRole;
  /** @default true, except for viewers' routes */
  readonly changes?: boolean;
  readonly input: I;
  /** @default none */
  readonly hidden?: readonly (keyof z.input<I> & string)[];
  readonly output: O;
  readonly progress?: P;
  readonly place?: Route["place"];
}) => {
  const { call, role, hidden = [], changes = role !== "viewer", place = "farm", ...rest } = settings;
  const [method, path] = call.split(" ") as [Route["method"], string]; // the template type says so
  return { ...rest, role, hidden, changes, method, path, place };
};
