import type { IncomingMessage } from "node:http";

import { FarmError } from "../base/index.ts";
import type { Route } from "./route.ts";
import { ROUTES, type RouteName } from "./routes.ts";

/** A route that a request's method and path lead to, with what the path says. */
export interface Matched {
  readonly name: RouteName;
  readonly route: Route;
  readonly parameters: Readonly<Record<string, string>>;
}

/** 5 MiB: a farm.yaml of 4 MiB as JSON. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

const PATTERNS = Object.entries<Route>(ROUTES)
  .filter(([, route]) => route.place === "farm")
  .map(([name, route]) => ({
    name: name as RouteName, // a key of ROUTES
    route,
    pattern: new RegExp(`^${route.path.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
  }));

/** @throws ADMIN_ROUTE_ABSENT, ADMIN_METHOD_WRONG */
export function matchRoute(method: string, path: string): Matched {
  const there = PATTERNS.flatMap((each) => {
    const match = each.pattern.exec(path);
    return match === null ? [] : [{ ...each, groups: match.groups ?? {} }];
  });
  if (there.length === 0) throw new FarmError("ADMIN_ROUTE_ABSENT", `there is nothing at ${JSON.stringify(path.slice(0, 200))}`);
  const found = there.find(({ route }) => route.method === method);
  if (found === undefined) {
    const allowed = there.map(({ route }) => route.method);
    throw new FarmError("ADMIN_METHOD_WRONG", `${path.slice(0, 200)} takes ${allowed.join(" and ")}, not ${method}`, {
      facts: { allowed },
    });
  }
  return { name: found.name, route: found.route, parameters: decoded(found.groups) };
}

function decoded(groups: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(groups).map(([key, value]) => [key, decodeURIComponent(value)]));
  } catch (error) {
    throw new FarmError("ADMIN_INPUT_INVALID", "the path has a percent escape that is none", { cause: error });
  }
}

/** The input of a request: what its path, its query and its body say. @throws ADMIN_INPUT_INVALID, ADMIN_BODY_TOO_LARGE */
export async function readInput(request: IncomingMessage, { route, parameters }: Matched, query: URLSearchParams): Promise<unknown> {
  if (route.method !== "GET" && route.method !== "DELETE") return { ...(await readBody(request)), ...parameters };
  const names = [...query.keys()];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new FarmError("ADMIN_INPUT_INVALID", `${JSON.stringify(twice.slice(0, 100))} is given twice`);
  return { ...Object.fromEntries(query), ...parameters };
}

async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const tooLarge = new FarmError("ADMIN_BODY_TOO_LARGE", `the request's body is larger than ${MAX_BODY_BYTES} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  if (size === 0) return {};
  return parseBody(Buffer.concat(chunks));
}

function parseBody(bytes: Buffer): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new FarmError("ADMIN_INPUT_INVALID", "the request's body is not JSON in UTF-8", { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FarmError("ADMIN_INPUT_INVALID", "the request's body is not a JSON object");
  }
  return { ...value };
}
