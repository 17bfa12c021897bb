import { setTimeout } from "node:timers/promises";

import { FarmError, instant, requireHostName, type HostPattern } from "../../base/index.ts";
import type { FarmConfig } from "../../config/index.ts";
import { parseFarmConfig } from "../../config/parse-farm-config.ts";
import type { ExaminedNode, Examination, Gap, NodeEvidence } from "../../doctor/index.ts";
import { parseFileName } from "../../pki/index.ts";
import { createAsker, type Asker } from "../ask-nodes.ts";
import type { OperationsParts } from "../parts.ts";
import type { FarmView, PresentFarm } from "../present-farm.ts";
import { problemData } from "../status.ts";
import type { Problem } from "../types.ts";
import { nodeCentral, readCentral, type CentralSight } from "./central-sight.ts";
import { dialGroups } from "./dial.ts";
import { eachBounded } from "./each-bounded.ts";
import { farmTargets, type PortTargets } from "./farm-targets.ts";
import type { DialSettings, LookControl } from "./look-settings.ts";
import { nodeEvidence, type Answered } from "./node-evidence.ts";
import { resolveHosts } from "./resolve-hosts.ts";
import { resolveServer } from "./server-addresses.ts";

/** What of the farm to look at. */
export interface FarmLook extends DialSettings {
  /** Absent = every host of the configuration. */
  readonly hosts?: readonly string[];
  /** Absent = every node of the configuration. */
  readonly nodes?: readonly string[];
  /** What clients dial. @default the farm's balancer */
  readonly via?: string;
}

const EVIDENCE_MS = 8_000;
/** A disk or share that was busy for a moment gets another try. */
const RETRY_AFTER_MS = 1_000;
const NODES_AT_ONCE = 64;
const MAX_PROMISED = 20_000;

/**
 * Looks at a farm from outside and from inside, everything at once. What does not answer in time is a gap, and holds nothing back.
 * @throws CONFIG_REVISION_ABSENT, NODE_UNKNOWN, HOST_NAME_INVALID, DOCTOR_NOTHING_TO_LOOK_AT, STORE_UNAVAILABLE, PROBE_ROOTS_INVALID
 */
export async function examineFarm(parts: OperationsParts, farm: FarmView, look: FarmLook & LookControl): Promise<Examination> {
  const at = parts.clock.now();
  const { present, config } = await presentConfig(farm);
  const nodes = await chosenNodes(farm, config, look.nodes);
  const targets = await targetsOf(parts, config, { look, nodes });
  const hosts = [...new Set(targets.flatMap((target) => target.hosts))];
  if (hosts.length === 0) throw new FarmError("DOCTOR_NOTHING_TO_LOOK_AT", "the configuration binds no host name for https");
  const roots = rootsOf(parts, look);
  const ending = new AbortController();
  const signal = AbortSignal.any([ending.signal, ...(look.signal === undefined ? [] : [look.signal])]);
  const control = { signal, ...(look.onProgress === undefined ? {} : { onProgress: look.onProgress }) };
  try {
    const [asked, central, dns, dialled] = await Promise.all([
      askNodes(parts, farm, { nodes, present, control }),
      readCentral(parts, { signal, onProgress: (progress) => look.onProgress?.({ phase: "files", ...progress }) }),
      resolveHosts(hosts, control),
      dialGroups(targets.map(asGroup), { ...look, ...roots, clock: parts.clock }, control),
    ]);
    return {
      at,
      hosts: hosts.map((name) => {
        const resolved = dns.resolved.get(name);
        return { name, ...(resolved === undefined ? {} : { resolved }) };
      }),
      nodes: merge(targets, evidenceOf(asked.answers, central)),
      cells: dialled.cells,
      ...(central.files === undefined ? {} : { central: { source: central.source, files: central.files } }),
      roots: roots.caPem === undefined ? "system" : "given",
      gaps: [...asked.gaps, ...central.gaps, ...dns.gaps, ...dialled.gaps],
    };
  } finally {
    ending.abort();
  }
}

/** Those that the caller names, else the farm's own. */
export function rootsOf(parts: Pick<OperationsParts, "caPem">, look: DialSettings): Pick<DialSettings, "caPem"> {
  const caPem = look.caPem ?? parts.caPem;
  return caPem === undefined ? {} : { caPem };
}

const asGroup = ({ nodes, hosts }: PortTargets): Parameters<typeof dialGroups>[0][number] => ({
  nodes,
  hosts: hosts.map((name) => ({ name })),
});

async function presentConfig(farm: FarmView): Promise<{ readonly present: PresentFarm; readonly config: FarmConfig }> {
  const present = await farm.present();
  if (present.config !== undefined) return { present, config: present.config };
  const why =
    present.latest === undefined ? "the farm has no revision yet" : `revision ${present.latest.number} cannot be read by this version`;
  throw new FarmError("CONFIG_REVISION_ABSENT", why);
}

/** Nodes of the configuration: others have no address to be dialled at. */
async function chosenNodes(farm: FarmView, config: FarmConfig, wanted: readonly string[] | undefined): Promise<readonly string[]> {
  for (const node of wanted ?? []) await farm.chosen(node);
  return config.nodes.map(({ name }) => name).filter((name) => wanted === undefined || wanted.includes(name));
}

async function targetsOf(
  parts: OperationsParts,
  config: FarmConfig,
  { look, nodes }: { readonly look: FarmLook & LookControl; readonly nodes: readonly string[] },
): Promise<readonly PortTargets[]> {
  const hosts = look.hosts?.map(requireHostName);
  const targets = farmTargets(config, { nodes, promised: await promisedNames(parts, config), ...(hosts === undefined ? {} : { hosts }) });
  if (look.via === undefined) return targets;
  const { endpoints } = await resolveServer(look.via, look.signal);
  const via = { name: look.via, role: "balancer" as const, endpoints };
  return targets.map((target) => ({ ...target, nodes: [...target.nodes.filter(({ role }) => role === "node"), via] }));
}

/** Names of files stand for bindings that name no host; they are not looked at when there is no such binding. */
async function promisedNames({ store }: OperationsParts, config: FarmConfig): Promise<readonly HostPattern[]> {
  const isAny = config.sites.some(({ bindings }) => bindings.some(({ protocol, host }) => protocol === "https" && host === undefined));
  if (!isAny) return [];
  const names = await store.folder("certificates").names();
  const patterns = names.map((file) => parseFileName(file)?.pattern).filter((pattern) => pattern !== undefined);
  return [...new Set(patterns)].slice(0, MAX_PROMISED);
}

type Given = Omit<Answered, "config"> & Pick<Answered, "config">;

async function askNodes(
  parts: OperationsParts,
  farm: FarmView,
  { nodes, present, control }: { readonly nodes: readonly string[]; readonly present: PresentFarm; readonly control: LookControl },
): Promise<{ readonly answers: readonly Given[]; readonly gaps: readonly Gap[] }> {
  const asker = createAsker(parts, farm);
  const configs = createConfigs(farm, present);
  const answers: Given[] = [];
  const gaps: Gap[] = [];
  let done = 0;
  await eachBounded(nodes, NODES_AT_ONCE, async (node) => {
    try {
      answers.push(await askOne(parts, asker, { node, configs, ...(control.signal === undefined ? {} : { signal: control.signal }) }));
    } catch (error) {
      gaps.push(silence(node, error));
    }
    done += 1;
    control.onProgress?.({ phase: "evidence", done, total: nodes.length });
  });
  return { answers, gaps };
}

const isStoreTrouble = ({ code }: Problem): boolean => code === "STORE_UNAVAILABLE" || code === "STORE_UNKNOWN";

/** A store that did not carry the question says nothing of the node. */
function silence(node: string, error: unknown): Gap {
  const problem = problemData(error);
  const { message } = problem;
  if (isStoreTrouble(problem)) return { node, what: "store", why: `the store did not carry the question: ${message}` };
  return { node, what: "system", why: `it tells nothing of itself: ${message}` };
}

async function askOne(
  { clock }: OperationsParts,
  asker: Asker,
  { node, configs, signal }: { readonly node: string; readonly configs: Configs; readonly signal?: AbortSignal },
): Promise<Given> {
  const ask = async () => {
    const askedAt = clock.now();
    const answer = await asker.ask(node, "evidence", {}, { timeoutMs: EVIDENCE_MS, ...(signal === undefined ? {} : { signal }) });
    return { answer, askedAt, answeredAt: clock.now() };
  };
  const { answer, askedAt, answeredAt } = await ask().catch(async (error: unknown) => {
    if (!isStoreTrouble(problemData(error))) throw error;
    await setTimeout(RETRY_AFTER_MS, undefined, signal === undefined ? {} : { signal });
    return ask();
  });
  const config = await configs.of(answer.report.revision, answer.report.digest);
  return { node, answer, askedAt: instant(askedAt), answeredAt: instant(answeredAt), ...(config === undefined ? {} : { config }) };
}

interface Configs {
  of(revision: number, digest: string): Promise<FarmConfig | undefined>;
}

/** Configurations by revision: a node may be behind the others. */
function createConfigs(farm: FarmView, { latest, config }: PresentFarm): Configs {
  const known = new Map<number, Promise<FarmConfig | undefined>>();
  const read = async (revision: number): Promise<FarmConfig | undefined> => {
    const found = await farm.revisions.get(revision).catch(() => undefined);
    const reading = found === undefined ? undefined : parseFarmConfig(found.yaml);
    return reading?.kind === "valid" ? reading.config : undefined;
  };
  return {
    of(revision, digest) {
      if (digest === latest?.digest) return Promise.resolve(config);
      const reading = known.get(revision) ?? read(revision);
      known.set(revision, reading);
      return reading;
    },
  };
}

function evidenceOf(answers: readonly Given[], central: CentralSight): ReadonlyMap<string, NodeEvidence> {
  return new Map(
    answers.map((answered) => [
      answered.node,
      { ...nodeEvidence(answered), central: nodeCentral(answered.node, answered.answer, central) },
    ]),
  );
}

/** One node with the endpoints of all ports. */
function merge(targets: readonly PortTargets[], evidence: ReadonlyMap<string, NodeEvidence>): readonly ExaminedNode[] {
  const nodes = new Map<string, ExaminedNode>();
  for (const { name, role, endpoints } of targets.flatMap((target) => target.nodes)) {
    const before = nodes.get(name)?.endpoints ?? [];
    const found = evidence.get(name);
    const fresh = endpoints.filter((one) => !before.some(({ address, port }) => address === one.address && port === one.port));
    nodes.set(name, {
      name,
      role,
      endpoints: [...before, ...fresh],
      ...(found === undefined || role === "balancer" ? {} : { evidence: found }),
    });
  }
  return [...nodes.values()];
}
