import { instant, requireEndpoint, requireHostName, type Endpoint, type HostName, type Instant } from "../../base/index.ts";
import { diagnose } from "../diagnose.ts";
import type { NodeEvidence } from "../evidence.ts";
import type { Cell, Examination, ProbeKind } from "../examination.ts";
import type { Diagnosis, Finding } from "../finding.ts";
import type { ProbeOutcome, RequestObservation } from "../observation.ts";
import type { Rule } from "../rule.ts";

/** When examinations of these tests take place. */
export const NOW = instant(Date.UTC(2026, 5, 15, 12));

export const DAY_MS = 86_400_000;

type Served = Extract<ProbeOutcome, { kind: "served" }>;

/** 64 hexadecimal digits that stand for a certificate of this label. */
export const digestOf = (label: string): string => Buffer.from(label).toString("hex").toUpperCase().padEnd(64, "0").slice(0, 64);

/** A good answer: the certificate of `label` (its subject's CN and only name). */
export function served(label: string, changes: Partial<Served> = {}): Served {
  const sha256 = digestOf(label);
  return {
    kind: "served",
    thumbprint: sha256.slice(0, 40),
    sha256,
    subject: `CN=${label}`,
    issuer: "CN=Example CA",
    dnsNames: [label],
    notBefore: at(-30),
    notAfter: at(60),
    chainLength: 2,
    protocol: "TLSv1.3",
    cipher: "TLS_AES_256_GCM_SHA384",
    alpn: "h2",
    resumed: false,
    verified: true,
    ...changes,
  };
}

/** Days from NOW as an instant. */
export const at = (days: number): Instant => instant(NOW + days * DAY_MS);

export const RESET: ProbeOutcome = { kind: "reset" };

/** The certificate of another label than the host's own: it verifies but for the name. */
export const wrong = (label: string, changes: Partial<Served> = {}): Served =>
  served(label, { verified: "ERR_TLS_CERT_ALTNAME_INVALID", ...changes });

/** The outcome of the base probe alone, or of several kinds, with a request. */
export type CellScript =
  | ProbeOutcome
  | (Partial<Record<ProbeKind, ProbeOutcome>> & {
      readonly request?: Partial<RequestObservation>;
      /** Further handshakes with SNI, in this order. */
      readonly samples?: readonly ProbeOutcome[];
      readonly sessionFrom?: string;
    });

/**
 * A farm of nodes `web1`, `web2`, … on 10.0.0.1, 10.0.0.2, … port 443, in the order in which they are first named.
 * A further endpoint of a node is a key of `cells` of its own: `web1@[fd00::1]:443`.
 */
export interface Script {
  /** For each node and host, what came of dialling; hosts that are left out were not dialled. */
  readonly cells?: Readonly<Record<string, Readonly<Record<string, CellScript>>>>;
  readonly evidence?: Readonly<Record<string, Partial<NodeEvidence>>>;
  /** Names of `cells` that are balancers. */
  readonly balancers?: readonly string[];
  /** Hosts that were asked for besides those of `cells`. */
  readonly hosts?: readonly string[];
  readonly changes?: Partial<Examination>;
}

const nameOf = (key: string): string => key.split("@")[0] ?? key;

/** An examination from a script. */
export function examine({ cells = {}, evidence = {}, balancers = [], hosts: more = [], changes = {} }: Script): Examination {
  const keys = Object.keys(cells);
  const names = [...new Set([...keys.map(nameOf), ...Object.keys(evidence)])];
  const hosts = [...new Set([...Object.values(cells).flatMap((ofNode) => Object.keys(ofNode)), ...more])];
  const endpointOf = (key: string): Endpoint => requireEndpoint(key.split("@")[1] ?? `10.0.0.${names.indexOf(nameOf(key)) + 1}:443`);
  return {
    at: NOW,
    hosts: hosts.map((name) => ({ name: requireHostName(name) })),
    nodes: names.map((name) => ({
      name,
      role: balancers.includes(name) ? "balancer" : "node",
      endpoints: (keys.some((key) => nameOf(key) === name) ? keys.filter((key) => nameOf(key) === name) : [name]).map(endpointOf),
      ...(evidence[name] === undefined ? {} : { evidence: { make: "iis", source: `${name}.json`, ...evidence[name] } }),
    })),
    cells: keys.flatMap((key) =>
      Object.entries(cells[key] ?? {}).map(([host, script]) => cell(nameOf(key), endpointOf(key), requireHostName(host), script)),
    ),
    roots: "system",
    gaps: [],
    ...changes,
  };
}

function cell(node: string, endpoint: Endpoint, host: HostName, script: CellScript): Cell {
  const { request, samples, sessionFrom, ...probes } =
    "kind" in script ? { sni: script, request: undefined, samples: undefined, sessionFrom: undefined } : script;
  const observed = (outcome: ProbeOutcome, sni = true) => ({ target: endpoint, ...(sni ? { host } : {}), at: NOW, tookMs: 5, outcome });
  const seen = Object.entries(probes).map(([kind, outcome]) => [kind, observed(outcome, kind !== "no-sni")]);
  return {
    node,
    endpoint,
    host,
    probes: Object.fromEntries(seen) as Cell["probes"], // the keys are those of the script
    ...(samples === undefined ? {} : { samples: samples.map((outcome) => observed(outcome)) }),
    ...(sessionFrom === undefined ? {} : { sessionFrom }),
    ...(request === undefined ? {} : { request: { at: NOW, tookMs: 5, headers: {}, ...request } }),
  };
}

/** What one rule alone says: its status, and its findings without what other rules would say. */
export function ask(rule: Rule, script: Script): { status: string; why?: string; findings: readonly Finding[]; diagnosis: Diagnosis } {
  const diagnosis = diagnose(examine(script), [rule]);
  const outcome = diagnosis.rules[0];
  return {
    status: outcome?.status ?? "none",
    ...(outcome?.why === undefined ? {} : { why: outcome.why }),
    findings: diagnosis.findings.filter(({ code }) => code === rule.code),
    diagnosis,
  };
}

/** The codes of a diagnosis with the given rules, worst first; `unexplained` where a symptom stayed without a cause. */
export const codesOf = (rules: readonly Rule[], script: Script): readonly string[] =>
  diagnose(examine(script), rules).findings.map(({ code }) => code);
