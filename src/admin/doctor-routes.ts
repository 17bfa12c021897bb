import { z } from "zod";

import { repairPlanShape, repairProgressShape, repairResultShape, repairRunShape } from "./repair-shape.ts";
import { lookProgressShape, reportShape, ruleShape } from "./report-shape.ts";
import { route } from "./route.ts";
import { list, perNode } from "./shapes.ts";

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);
const MAX_HOSTS = 50_000;
const MAX_NODES = 1_000;
const path = z.string().min(1).max(4_096);
const hostTexts = z.array(z.string().min(1).max(1_000)).max(MAX_HOSTS);
const name = z.string().min(1).max(253);

/** How to dial. */
const dialing = {
  deep: maybe(z.boolean()).describe("The deeper set of handshakes for every host, not only where nodes differ or fail"),
  timeoutMs: maybe(z.number().int().min(100).max(60_000)).describe("For one handshake"),
  concurrency: maybe(z.number().int().min(1).max(1_000)).describe("Handshakes at a time for one node"),
  caPem: maybe(z.string().max(4 << 20)).describe("Roots to verify against, instead of the system's"),
};

/** Servers that need not be certfarm's, and what is known of them from files of the caller's machine. */
const servers = {
  hosts: maybe(hostTexts).describe("Host names; absent = those that the evidence names"),
  nodes: maybe(z.array(z.string().min(1).max(300)).max(MAX_NODES)).describe(
    "`10.0.0.4`, `10.0.0.5:8443`, `[::1]:443`, or a name: all its addresses",
  ),
  via: maybe(z.string().min(1).max(300)).describe("What clients dial: the balancer in front of the nodes"),
  evidence: maybe(z.array(path).max(MAX_NODES)).describe("Files of `certfarm iis collect`, or folders with a file or folder for each node"),
  share: maybe(path).describe("Folder of the central certificates"),
  passwordFile: maybe(path).describe("A file whose first line is the password of the central certificates"),
  nginx: maybe(z.array(path).max(MAX_NODES)).describe("nginx.conf of this machine"),
  haproxy: maybe(z.array(path).max(MAX_NODES)).describe("haproxy.cfg of this machine"),
};

const findings = maybe(list(z.string().min(1).max(100)).check(z.maxLength(1_000))).describe("Ids or codes; absent = all");
const scripts = list(z.object({ node: z.string(), fileName: z.string(), text: z.string() }));

/** Routes of looking, naming and mending. */
export const DOCTOR_ROUTES = {
  doctor: route({
    call: "POST /v1/doctor",
    role: "viewer",
    summary: "Looks at the farm from outside and from inside, and names the causes of what is wrong",
    input: z.strictObject({
      hosts: maybe(hostTexts).describe("Absent = every host of the configuration"),
      nodes: maybe(z.array(name).max(MAX_NODES)),
      via: maybe(z.string().min(1).max(300)).describe("Absent = the farm's balancer"),
      ...dialing,
    }),
    progress: lookProgressShape,
    output: reportShape,
  }),
  "doctor.here": route({
    call: "POST /v1/doctor/here",
    role: "viewer",
    summary: "The same for any servers, from this machine and from files of this machine; no farm is needed",
    input: z.strictObject({ ...servers, ...dialing }),
    progress: lookProgressShape,
    output: reportShape,
    place: "here",
  }),
  "doctor.rules": route({
    call: "GET /v1/doctor/rules",
    role: "viewer",
    summary: "Every rule as data",
    input: z.strictObject({ code: maybe(z.string().min(1).max(100)) }),
    output: z.object({ rules: list(ruleShape) }),
    place: "here",
  }),
  "iis.collect": route({
    call: "GET /v1/iis/collect",
    role: "viewer",
    summary: "The PowerShell script that collects evidence on a server with IIS",
    input: z.strictObject({}),
    output: z.object({ fileName: z.string(), text: z.string() }),
    place: "here",
  }),
  "iis.import": route({
    call: "POST /v1/iis/import",
    role: "viewer",
    summary: "A farm.yaml out of applicationHost.config, and what has no counterpart",
    input: z.strictObject({ file: path, evidence: maybe(z.array(path).max(MAX_NODES)) }),
    output: z.object({
      yaml: z.string(),
      notes: list(z.object({ line: maybe(z.number()), text: z.string() })).describe("What has no counterpart in certfarm"),
    }),
    place: "here",
  }),
  "explain.evidence": route({
    call: "POST /v1/explain/evidence",
    role: "viewer",
    summary: "Which certificate a ClientHello gets on a server, by the evidence of it, and every step that leads there",
    input: z.strictObject({
      evidence: z.array(path).min(1).max(MAX_NODES),
      share: maybe(path),
      passwordFile: maybe(path),
      node: maybe(name),
      serverName: maybe(z.string().max(1_000)),
      address: maybe(z.string().max(100)),
      port: z.number().int().min(1).max(65_535),
    }),
    output: z.object({
      nodes: perNode(
        z.object({
          outcome: z.enum(["serve", "reset", "unknown"]),
          thumbprint: maybe(z.string()),
          lines: list(z.string()),
        }),
      ),
    }),
    place: "here",
  }),
  "repair.script": route({
    call: "POST /v1/repair/script",
    role: "viewer",
    summary: "One PowerShell script for each server with IIS that mends what the doctor found there",
    input: z.strictObject({ ...servers, ...dialing, findings }),
    progress: lookProgressShape,
    output: z.object({
      scripts,
      manual: list(z.object({ finding: z.string(), node: maybe(z.string()), text: z.string() })),
    }),
    place: "here",
  }),
  "repair.plan": route({
    call: "POST /v1/repair/plan",
    role: "viewer",
    summary: "What a repair would do, node by node; nothing is changed",
    input: z.strictObject({ findings, ...dialing }),
    progress: lookProgressShape,
    output: repairPlanShape,
  }),
  "repair.run": route({
    call: "POST /v1/repair",
    role: "operator",
    summary: "Mends one node after the other: drain, act, prove, undrain; undoes a step that makes a proof worse, and stops",
    input: z.strictObject({
      findings,
      steps: maybe(list(z.string().max(100)).check(z.maxLength(10_000))).describe("Ids of the steps that were agreed to; absent = all"),
      by: maybe(z.string().min(1).max(200)),
      ...dialing,
    }),
    progress: repairProgressShape,
    output: repairResultShape,
  }),
  "repair.history": route({
    call: "GET /v1/repair/history",
    role: "viewer",
    summary: "Repairs, newest first",
    input: z.strictObject({ limit: maybe(z.coerce.number<number>().int().min(1).max(100)) }),
    output: z.object({ runs: list(repairRunShape) }),
  }),
} as const;
