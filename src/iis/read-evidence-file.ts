import { FarmError, instant, parseIpAddress, type Instant } from "../base/index.ts";
import type { ClockEvidence, Gap, InstalledCertificate, ListenerEvidence, NodeEvidence, SystemEvidence } from "../doctor/index.ts";
import { parseBoundedJson } from "./bounded-json.ts";
import { centralEvidence } from "./central-evidence.ts";
import { decodeText } from "./decode-text.ts";
import { evidenceFileSchema, type EvidenceFile } from "./evidence-file.ts";
import { configurationPart, joinParts, tablePart, type EvidencePartReading, type NamedText } from "./evidence-part.ts";
import { present } from "./present.ts";

/** What a server says of itself, under its name, and what could not be collected or read. */
export interface NodeReading {
  readonly name: string;
  readonly evidence: NodeEvidence;
  readonly gaps: readonly Gap[];
}

/** How many problems of a file are named at once. */
const MAX_ISSUES = 5;

/**
 * Reads the JSON file that the script of `certfarm iis collect` writes. `file` names it in errors and as the source of facts.
 * A part that is damaged is a gap; a file that is no evidence file of this version is an error.
 * @throws IIS_EVIDENCE_INVALID that names the path of what is wrong, IIS_INPUT_TOO_LARGE
 */
export function readEvidenceFile(content: Uint8Array | string, file: string): NodeReading {
  const json = parseBoundedJson(decodeText(content, file).text, file);
  if ("problem" in json) throw new FarmError("IIS_EVIDENCE_INVALID", `${file}: ${json.problem}`, { facts: { file } });
  const checked = evidenceFileSchema.safeParse(json.value);
  if (checked.success) return nodeReading(checked.data, file);
  const { issues } = checked.error;
  const named = issues.slice(0, MAX_ISSUES).map(({ path, message }) => `${pathText(path)}: ${message}`);
  const more = issues.length > MAX_ISSUES ? `; and ${issues.length - MAX_ISSUES} more` : "";
  throw new FarmError("IIS_EVIDENCE_INVALID", `${file}: ${named.join("; ")}${more}`, {
    facts: { file, path: pathText(issues[0]?.path ?? []) },
    cause: checked.error,
  });
}

/** `certificates[3].notAfter`; the paths of the schema's own fields, so that nothing hostile is in it. */
const pathText = (path: readonly PropertyKey[]): string =>
  path.length === 0
    ? "the file"
    : path.map((part, at) => (typeof part === "number" ? `[${part}]` : `${at === 0 ? "" : "."}${String(part)}`)).join("");

const moment = (text: string): Instant => instant(Date.parse(text));

function nodeReading(file: EvidenceFile, path: string): NodeReading {
  const { server: node } = file;
  const { table, configuration } = file;
  const parts = joinParts([
    tablePart(node, [table?.text, table?.json].filter(isPrint), `${node}: netsh http show sslcert`),
    configurationPart(
      node,
      present({
        redirection: namedText(configuration?.redirection, `${node}: redirection.config`),
        applicationHost: namedText(configuration?.applicationHost, `${node}: applicationHost.config`),
      }),
      new Map(file.sites?.flatMap(({ name, state }) => runs(name, state))),
    ),
    machinePart(file),
  ]);
  const evidence: NodeEvidence = { make: "iis", source: path, at: moment(file.collectedAt), ...parts.evidence };
  return { name: node, evidence, gaps: [...parts.gaps, ...problemGaps(file), ...absentGaps(node, path, evidence, file)] };
}

const isPrint = (text: string | undefined): text is string => text !== undefined && text.trim() !== "";

type FileText = NonNullable<NonNullable<EvidenceFile["configuration"]>["redirection"]>;

const namedText = (file: FileText | undefined, source: string): NamedText | undefined =>
  file && { ...present({ text: file.text, error: file.error }), source };

/** Other states (`Starting`, `Unknown`) say nothing lasting. */
function runs(name: string, state: string): readonly (readonly [string, boolean])[] {
  const word = state.toLowerCase();
  return word === "started" || word === "stopped" ? [[name, word === "started"]] : [];
}

/** What the file says as it is, without another file inside. */
function machinePart(file: EvidenceFile): EvidencePartReading {
  const { server: node, clock, addresses, central, certificates, events, protocols, listeners } = file;
  return {
    evidence: present({
      system: systemOf(file),
      clock: clock === undefined ? undefined : clockOf(node, clock),
      addresses: addresses && [...new Set(addresses.flatMap((address) => parseIpAddress(address) ?? []))],
      central: central && centralEvidence(file, central),
      certificates: certificates?.map((one) => installed(node, one)),
      events: events?.map(({ log, id, at, message = "" }) => ({ log, id, at: moment(at), message: message.slice(0, MAX_MESSAGE) })),
      protocols: protocols?.flatMap((one) => protocolOf(node, one)),
      listeners: listeners?.flatMap(listener),
    }),
    gaps: [],
  };
}

function clockOf(node: string, { offsetMs, uncertaintyMs, reference }: NonNullable<EvidenceFile["clock"]>): ClockEvidence | undefined {
  if (offsetMs === undefined) return undefined;
  const source = `${node}: w32tm against ${reference ?? "its time server"}`;
  return { source, offsetMs, uncertaintyMs: uncertaintyMs ?? DEFAULT_UNCERTAINTY_MS };
}

/** One question over the network, when the script does not say how sure its answer is. */
const DEFAULT_UNCERTAINTY_MS = 1_000;

/** Characters of an event's message. */
const MAX_MESSAGE = 1_000;

function systemOf({ server, os, startedAt, features }: EvidenceFile): SystemEvidence | undefined {
  if (os === undefined && startedAt === undefined && features === undefined) return undefined;
  return {
    source: `${server}: Windows`,
    name: os?.caption ?? "Windows",
    version: os?.version ?? "",
    ...present({ build: os?.build, startedAt: startedAt === undefined ? undefined : moment(startedAt), features }),
  };
}

function installed(node: string, one: NonNullable<EvidenceFile["certificates"]>[number]): InstalledCertificate {
  const { store, thumbprint, subject, issuer, dnsNames, hasKey, keySpec, keyReadable, chain } = one;
  return {
    source: `${node}: certificate store ${store}`,
    store,
    thumbprint: thumbprint.toUpperCase(),
    subject,
    issuer,
    dnsNames: (dnsNames ?? []).map((name) => name.toLowerCase()),
    notBefore: moment(one.notBefore),
    notAfter: moment(one.notAfter),
    ...present({ hasKey, keySpec, keyReadable, chain: chain && { complete: chain.complete, ...present({ problem: chain.problem }) } }),
  };
}

/**
 * HTTP.sys takes Schannel's defaults: `Enabled` 0 turns a protocol off, `DisabledByDefault` 1 does so too for who asks for the defaults.
 * Neither is set: the version of Windows decides, and nothing is said here.
 */
function protocolOf(node: string, { protocol, enabled, disabledByDefault }: NonNullable<EvidenceFile["protocols"]>[number]) {
  const source = `${node}: registry SCHANNEL\\Protocols\\${protocol}\\Server`;
  if (enabled === 0 || (disabledByDefault !== undefined && disabledByDefault !== 0)) return [{ protocol, enabled: false, source }];
  return enabled === undefined && disabledByDefault === undefined ? [] : [{ protocol, enabled: true, source }];
}

function listener({ address, port, process }: NonNullable<EvidenceFile["listeners"]>[number]): readonly ListenerEvidence[] {
  const parsed = parseIpAddress(address);
  if (parsed === undefined) return [];
  return [{ endpoint: { address: parsed, port }, bindingPort: port, protocol: "https", ...present({ process }) }];
}

type Part = NonNullable<EvidenceFile["problems"]>[number]["part"];

const PARTS: Readonly<Record<Part, Gap["what"]>> = {
  system: "system",
  clock: "clock",
  addresses: "addresses",
  features: "system",
  table: "table",
  central: "central",
  access: "central",
  files: "central",
  configuration: "configuration",
  certificates: "certificates",
  events: "events",
  protocols: "protocols",
  sites: "bindings",
  listeners: "listeners",
};

const problemGaps = ({ server: node, problems = [] }: EvidenceFile): readonly Gap[] =>
  problems.map(({ part, why }) => ({ node, what: PARTS[part], why }));

/** What most rules need, when the file has neither it nor a reason. */
function absentGaps(node: string, path: string, evidence: NodeEvidence, { problems = [] }: EvidenceFile): readonly Gap[] {
  const told = new Set(problems.map(({ part }) => PARTS[part]));
  return (["table", "configuration", "central", "certificates"] as const)
    .filter((what) => evidence[what] === undefined && !told.has(what))
    .map((what) => ({ node, what, why: `${path} says nothing of it` }));
}
