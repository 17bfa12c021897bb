import { z } from "zod";

import { ACCESS_ROUTES } from "./access-routes.ts";
import { CONTENT_ROUTES } from "./content-routes.ts";
import { DOCTOR_ROUTES } from "./doctor-routes.ts";
import { DRILL_ROUTES } from "./drill-routes.ts";
import { IDENTITY_ROUTES } from "./identity-routes.ts";
import { route, type Route } from "./route.ts";
import { SECRET_ROUTES } from "./secret-routes.ts";
import {
  appliedShape,
  bindingsShape,
  checkedShape,
  configChangeShape,
  configProblemShape,
  explainedShape,
  fileListingShape,
  impactShape,
  invalidShape,
  list,
  missingShape,
  perNode,
  proofShape,
  refusalsShape,
  revisionShape,
  rolloutShape,
  rowShape,
} from "./shapes.ts";
import { statusShape } from "./status-shape.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);
const none = z.strictObject({});
/** Text of a query or a path, or the number itself. */
const whole = (least: number, most: number) => z.coerce.number<number>().int().min(least).max(most);
const name = z.string().min(1).max(253);
const yaml = z.string().max(4 * 1024 * 1024);
const note = maybe(z.string().max(500));
const by = maybe(z.string().min(1).max(200));
const allowBroken = maybe(list(z.string().max(300)));
const revision = whole(1, 1e9);

/** Everything the admin API does: its HTTP server, its OpenAPI document and its client are made from this table. */
export const ROUTES = {
  status: route({
    call: "GET /v1/status",
    role: "viewer",
    summary: "Nodes, revision, balancer, drains, and what each node proved of each host",
    input: none,
    output: statusShape,
  }),
  "config.validate": route({
    call: "POST /v1/config/validate",
    role: "viewer",
    summary: "All problems of a farm.yaml at once; nothing is changed",
    input: z.strictObject({ yaml, name: maybe(z.string().max(1_000)) }),
    output: z.discriminatedUnion("kind", [
      invalidShape,
      z.object({ kind: z.literal("valid"), warnings: list(configProblemShape), text: z.string() }),
    ]),
  }),
  "config.plan": route({
    call: "POST /v1/config/plan",
    role: "viewer",
    summary: "What applying a farm.yaml would do, for each host and node; nothing is changed",
    input: z.strictObject({ yaml, base: maybe(whole(0, 1e9)) }),
    output: z.discriminatedUnion("kind", [
      invalidShape,
      z.object({
        kind: z.literal("valid"),
        base: z.number(),
        latest: z.number(),
        warnings: list(configProblemShape),
        warningText: z.string(),
        diff: z.string(),
        changes: list(configChangeShape),
        impact: impactShape,
        missing: list(missingShape),
      }),
    ]),
  }),
  "config.apply": route({
    call: "POST /v1/config/apply",
    role: "operator",
    summary: "Makes a farm.yaml the next revision, unless it would break a host that is served now",
    input: z.strictObject({ yaml, base: maybe(whole(0, 1e9)), note, allowBroken, by }),
    output: appliedShape,
  }),
  "config.rollback": route({
    call: "POST /v1/config/rollback",
    role: "operator",
    summary: "Makes a new revision with the text of an earlier one",
    input: z.strictObject({ number: revision, note, allowBroken, by }),
    output: appliedShape,
  }),
  "config.awaitProved": route({
    call: "POST /v1/config/await-proved",
    role: "viewer",
    summary: "Waits until every node has proved a revision; names the laggards when the time is up",
    input: z.strictObject({ revision: maybe(revision), timeoutMs: z.number().int().min(0).max(3_600_000) }),
    output: rolloutShape,
    progress: rolloutShape,
  }),
  "config.history": route({
    call: "GET /v1/config/revisions",
    role: "viewer",
    summary: "Revisions, newest first",
    input: z.strictObject({ limit: maybe(whole(1, 1_000)) }),
    output: z.object({ revisions: list(revisionShape) }),
  }),
  "config.show": route({
    call: "GET /v1/config/revision",
    role: "viewer",
    summary: "A revision with its text; the latest without a number",
    input: z.strictObject({ number: maybe(revision) }),
    output: revisionShape.extend({ yaml: z.string() }),
  }),
  "config.diff": route({
    call: "GET /v1/config/diff",
    role: "viewer",
    summary: "What differs between two revisions (0 = nothing)",
    input: z.strictObject({ from: whole(0, 1e9), to: revision }),
    output: z.object({ diff: z.string(), changes: list(configChangeShape) }),
  }),
  "config.export": route({
    call: "POST /v1/config/export",
    role: "viewer",
    summary: "The configuration of a balancer of another make, or the rights in etcd, for the farm of a farm.yaml",
    input: z.strictObject({
      product: z.enum(["haproxy", "nginx-stream", "keepalived", "azure", "aws", "etcd-roles"]),
      yaml,
      name: maybe(z.string().max(1_000)),
    }),
    output: z.object({ text: z.string() }),
  }),
  "certificates.list": route({
    call: "GET /v1/certificates",
    role: "viewer",
    summary: "Every central certificate file with its status, one in each line of progress",
    input: z.strictObject({ filter: maybe(z.string().min(1).max(300)) }),
    progress: z.object({ done: z.number(), total: z.number(), file: maybe(fileListingShape) }),
    output: z.object({ files: z.number(), usable: z.number() }),
  }),
  "certificates.check": route({
    call: "POST /v1/certificates/check",
    role: "viewer",
    summary: "Opens certificate files of the caller's own machine",
    input: z.strictObject({ files: z.array(z.string().min(1).max(4_096)).min(1).max(100_000), passwordFile: maybe(z.string().min(1)) }),
    output: z.object({ files: list(checkedShape) }),
    place: "here",
  }),
  "bindings.show": route({
    call: "GET /v1/bindings",
    role: "viewer",
    summary: "The binding table of a node, or of every node",
    input: z.strictObject({ node: maybe(name), format: maybe(z.enum(["table", "netsh", "json"])) }),
    output: z.object({ nodes: perNode(bindingsShape) }),
  }),
  "bindings.add": route({
    call: "POST /v1/nodes/{node}/bindings",
    role: "operator",
    summary: "Puts a row into a node's real binding table",
    input: z.strictObject({ node: name, row: z.string().max(300), file: maybe(z.string().max(255)), appId: maybe(z.string().max(64)) }),
    output: z.object({ row: rowShape, text: z.string(), kept: z.boolean() }),
  }),
  "bindings.delete": route({
    call: "DELETE /v1/nodes/{node}/bindings",
    role: "operator",
    summary: "Removes a row from a node's real binding table",
    input: z.strictObject({ node: name, row: z.string().max(300) }),
    output: z.object({ text: z.string() }),
  }),
  explain: route({
    call: "GET /v1/explain",
    role: "viewer",
    summary: "Which certificate a ClientHello gets on a node, or on every node, and every step that leads there",
    input: z.strictObject({
      node: maybe(name),
      serverName: maybe(z.string().max(1_000)),
      address: maybe(z.string().max(100)),
      port: whole(1, 65_535),
    }),
    output: z.object({ nodes: perNode(explainedShape) }),
  }),
  refusals: route({
    call: "GET /v1/refusals",
    role: "viewer",
    summary: "ClientHellos that got no certificate; give the cursor of one answer to get what came after it",
    input: z.strictObject({ node: maybe(name), cursor: maybe(z.string().max(65_536)), limit: maybe(whole(1, 1_000)) }),
    output: z.object({ nodes: perNode(refusalsShape), cursor: z.string() }),
  }),
  prove: route({
    call: "POST /v1/prove",
    role: "viewer",
    summary: "Lets nodes dial themselves now, for these hosts or for all",
    input: z.strictObject({ node: maybe(name), hosts: maybe(list(z.string().max(300))) }),
    output: z.object({ nodes: perNode(z.object({ hosts: list(proofShape) })) }),
  }),
  drain: route({
    call: "PUT /v1/nodes/{node}/drain",
    role: "operator",
    summary: "No new connections for a node",
    input: z.strictObject({ node: name, by }),
    output: z.object({ node: z.string() }),
  }),
  undrain: route({
    call: "DELETE /v1/nodes/{node}/drain",
    role: "operator",
    summary: "New connections for a node again",
    input: z.strictObject({ node: name }),
    output: z.object({ node: z.string() }),
  }),
  ...ACCESS_ROUTES,
  ...CONTENT_ROUTES,
  ...DOCTOR_ROUTES,
  ...DRILL_ROUTES,
  ...IDENTITY_ROUTES,
  ...SECRET_ROUTES,
} as const satisfies Record<string, Route>;

/** The name of a route. */
export type RouteName = keyof typeof ROUTES;

/** What a caller gives. */
export type RouteInput<K extends RouteName> = z.input<(typeof ROUTES)[K]["input"]>;

/** What a handler gets. */
export type RouteQuestion<K extends RouteName> = z.output<(typeof ROUTES)[K]["input"]>;

/** What a caller gets. */
export type RouteOutput<K extends RouteName> = z.output<(typeof ROUTES)[K]["output"]>;

/** What a caller is told meanwhile; never for most routes. */
export type RouteProgress<K extends RouteName> = (typeof ROUTES)[K] extends { readonly progress?: infer P extends z.ZodType }
  ? z.output<P>
  : never;
