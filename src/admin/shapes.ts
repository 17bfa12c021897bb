import { z } from "zod";

/** Plain data of answers. Times are milliseconds since the Unix epoch. */
export const list = <T extends z.ZodType>(item: T) => z.array(item).readonly();

const maybe = <T extends z.ZodType>(item: T) => z.exactOptional(item);

/** Why something could not be done or told. */
export const problemShape = z.object({ code: z.string(), message: z.string(), remedy: z.string() });

/** One answer a node, or why there is none. */
export const perNode = <T extends z.ZodType>(answer: T) =>
  list(
    z.discriminatedUnion("kind", [
      z.object({ node: z.string(), kind: z.literal("answer"), answer }),
      z.object({ node: z.string(), kind: z.literal("problem"), problem: problemShape }),
    ]),
  );

/** One thing that is wrong with farm.yaml. */
export const configProblemShape = z.object({
  line: z.number(),
  column: z.number(),
  path: z.string(),
  message: z.string(),
  suggestion: maybe(z.string()),
  severity: z.enum(["error", "warning"]),
});

/** What became of one thing of the configuration. */
export const configChangeShape = z.object({
  subject: z.string(),
  change: z.enum(["added", "removed", "changed"]),
  details: list(z.string()),
});

/** A revision without its text. */
export const revisionShape = z.object({
  number: z.number(),
  digest: z.string(),
  at: z.number(),
  by: z.string(),
  note: maybe(z.string()),
  signer: maybe(z.string()),
  refused: maybe(z.string()),
});

const servedShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("serve"), thumbprints: list(z.string()), files: list(z.string()) }),
  z.object({ kind: z.literal("refuse"), reason: z.string() }),
]);

const changeShape = z.enum(["same", "changed", "gained", "broken", "removed", "unserved"]);

/** Host × node pairs of each kind of change. */
export const countsShape = z.record(changeShape, z.number());

/** What a new configuration would do, host by host. */
export const impactShape = z.object({
  rows: list(
    z.object({
      host: z.string(),
      port: z.number(),
      nodes: list(z.string()),
      before: servedShape,
      after: servedShape,
      change: changeShape,
    }),
  ),
  totalRows: z.number(),
  counts: countsShape,
  broken: list(z.string()),
});

/** A farm.yaml that is not valid. */
export const invalidShape = z.object({
  kind: z.literal("invalid"),
  problems: list(configProblemShape),
  text: z.string().describe("The problems for people, with the source lines"),
});

/** A bound host that gets no certificate. */
export const missingShape = z.object({ host: z.string(), port: z.number(), reason: z.string() });

/** A revision as it is now in force. */
export const appliedShape = z.object({
  revision: revisionShape,
  changed: z.boolean(),
  farmFile: z.enum(["in-step", "edited", "later"]),
  broken: list(z.string()),
  counts: countsShape,
  missing: list(missingShape),
  warningText: z.string(),
});

/** How far a revision has come. */
export const rolloutShape = z.object({
  revision: z.number(),
  done: z.number(),
  total: z.number(),
  laggards: list(z.object({ node: z.string(), because: z.string() })),
});

const verdictShape = z.enum(["proved", "failed", "pending"]);

/** What a node proved of a host by dialling itself. */
export const proofShape = z.object({
  host: z.string(),
  port: z.number(),
  verdict: verdictShape,
  thumbprint: maybe(z.string()),
  problem: maybe(z.string()),
  reason: maybe(z.string()),
  at: maybe(z.number()),
});

const certificateShape = z.object({
  subject: z.string(),
  issuer: z.string(),
  dnsNames: list(z.string()),
  ipAddresses: list(z.string()),
  serial: z.string(),
  notBefore: z.number(),
  notAfter: z.number(),
  keyType: z.string(),
  keyName: z.string(),
  signatureAlgorithm: z.string(),
  thumbprint: z.string(),
  sha256: z.string(),
  isCa: z.boolean(),
  selfSigned: z.boolean(),
});

/** What a certificate file says. */
export const fileFactsShape = z.object({
  format: z.enum(["pkcs12", "pem"]),
  leaf: certificateShape,
  chain: list(certificateShape),
  chainEnds: z.enum(["to-root", "to-intermediate", "leaf-only"]),
  keyMatches: z.boolean(),
  friendlyName: maybe(z.string()),
  unusedCertificates: z.number(),
  unusedKeys: z.number(),
  protection: list(z.string()),
  refusedBy: list(z.string()),
  warnings: list(z.string()),
});

const readingShape = {
  status: z.string(),
  facts: maybe(fileFactsShape),
  problem: maybe(z.string()),
  remedy: maybe(z.string()),
};

/** A checked file. */
export const checkedShape = z.object({ file: z.string(), ...readingShape });

/** One central certificate file. */
export const fileListingShape = z.object({
  file: z.string(),
  reading: z.object(readingShape),
  promises: list(z.string()),
  shadowedBy: maybe(z.object({ file: z.string(), because: z.string() })),
  warnings: list(z.string()),
});

/** What identifies a row of a binding table. */
export const rowKeyShape = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ip"), address: z.string(), port: z.number() }),
  z.object({ kind: z.literal("host"), host: z.string(), port: z.number() }),
  z.object({ kind: z.literal("central"), port: z.number() }),
  z.object({ kind: z.literal("any"), family: z.union([z.literal(4), z.literal(6)]), port: z.number() }),
]);

/** A row of a binding table. */
export const rowShape = z.object({
  key: rowKeyShape,
  file: maybe(z.string()),
  origin: z.enum(["configuration", "operator"]),
  appId: z.string(),
});

/** A node's binding table. */
export const bindingsShape = z.object({
  rows: list(rowShape.extend({ text: z.string(), thumbprint: maybe(z.string()) })),
  drift: list(z.string()),
  reconcile: z.enum(["mend", "observe"]),
  text: z.string().describe("The table in the format that was asked for"),
});

const stepShape = z.object({ look: z.string(), outcome: z.string(), because: z.string() });
const trail = list(stepShape);

const decisionShape = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("serve"),
    row: rowKeyShape,
    certificates: list(z.object({ file: z.string(), thumbprint: z.string(), keyType: z.string() })),
    trail,
  }),
  z.object({ kind: z.literal("refuse"), reason: z.string(), alert: z.string(), trail }),
  z.object({ kind: z.literal("need"), files: list(z.string()), trail }),
]);

/** A node's decision for a name, and how it came to it. */
export const explainedShape = z.object({
  question: z.object({ serverName: maybe(z.string()), address: z.string(), port: z.number() }),
  decision: decisionShape,
  lines: list(z.string()),
  proof: maybe(proofShape),
});

/** A node's refusals. */
export const refusalsShape = z.object({
  entries: list(
    z.object({
      sequence: z.number(),
      at: z.number(),
      reason: z.string(),
      serverName: maybe(z.string()),
      client: z.string(),
      local: z.string(),
      versions: list(z.string()),
      alpn: list(z.string()),
      alert: maybe(z.string()),
      detail: z.string(),
    }),
  ),
  dropped: z.number(),
  total: z.number(),
});
