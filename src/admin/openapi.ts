import { z } from "zod";

import { ERRORS } from "../base/index.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";

/** The OpenAPI 3.1 document of the routes that are served over HTTP. */
export function openApiDocument(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries<Route>(ROUTES)) {
    if (route.place !== "farm") continue;
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(name, route) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "certfarm admin API", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    security: [{ token: [] }, { certificate: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "The content of the token file, or a token of `certfarm token add`" },
        certificate: { type: "mutualTLS", description: "A certificate of the farm's authority" },
      },
      schemas: { Error: ERROR },
    },
  };
}

const ERROR = {
  type: "object",
  required: ["code", "message", "remedy", "facts"],
  properties: {
    code: { type: "string", enum: Object.keys(ERRORS) },
    message: { type: "string" },
    remedy: { type: "string" },
    facts: { type: "object" },
  },
};

function operationOf(name: string, route: Route): Record<string, unknown> {
  const input = schemaOf(route.input, "input");
  const properties: Record<string, unknown> = isRecord(input["properties"]) ? input["properties"] : {};
  const required = Array.isArray(input["required"]) ? input["required"] : [];
  const inPath = new Set([...route.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ""));
  const others = Object.keys(properties).filter((key) => !inPath.has(key));
  const inQuery = route.method === "GET" || route.method === "DELETE" ? others : [];
  const inBody = inQuery.length > 0 ? [] : others;
  const parameter = (key: string, place: string) => ({ name: key, in: place, required: required.includes(key), schema: properties[key] });
  const body = {
    type: "object",
    properties: Object.fromEntries(inBody.map((key) => [key, properties[key]])),
    required: inBody.filter((key) => required.includes(key)),
    additionalProperties: false,
  };
  return {
    operationId: name,
    summary: route.summary,
    description: `For callers of the role ${route.role}.${route.changes ? " It is written into the audit log." : ""}`,
    "x-certfarm-role": route.role,
    ...(route.role === "newcomer" ? { security: [] } : {}),
    parameters: [...[...inPath].map((key) => parameter(key, "path")), ...inQuery.map((key) => parameter(key, "query"))],
    ...(inBody.length === 0 ? {} : { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    responses: {
      200: answerOf(route),
      default: { description: "An error", content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } } },
    },
  };
}

function answerOf(route: Route): Record<string, unknown> {
  const result = schemaOf(route.output, "output");
  if (route.progress === undefined) return { description: "Done", content: { "application/json": { schema: result } } };
  const lines = {
    oneOf: [
      { type: "object", required: ["progress"], properties: { progress: schemaOf(route.progress, "output") } },
      { type: "object", required: ["result"], properties: { result } },
      { type: "object", required: ["error"], properties: { error: { $ref: "#/components/schemas/Error" } } },
    ],
  };
  return { description: "JSON lines: progress, then a result or an error", content: { "application/x-ndjson": { schema: lines } } };
}

function schemaOf(shape: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(shape, { io });
  return schema;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
