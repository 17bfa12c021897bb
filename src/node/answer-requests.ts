import { FarmError, parseIpAddress } from "../base/index.ts";
import { findRow, validateRow } from "../bindings/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import { serverNameOf, type ServerName } from "../handshake/index.ts";
import type { DrillRunner } from "./drills/drill-runner.ts";
import { gatherEvidence, type EvidenceSources } from "./gather-evidence.ts";
import type { WantedListener } from "./listeners.ts";
import type { Reconciler } from "./reconciler.ts";
import type { RefusalJournal } from "./refusal-journal.ts";
import type { ExplainAnswer, ExplainQuestion, NodeRequestMap } from "./requests.ts";
import { resync, type ResyncParts } from "./resync.ts";
import type { Selector } from "./selection.ts";
import type { SelfProof } from "./self-proof.ts";

/** What answering works with. */
export interface AnswerParts {
  readonly node: string;
  readonly reconciler: Reconciler;
  readonly journal: RefusalJournal;
  readonly certificates: Pick<CentralCertificates, "reports">;
  readonly selector: Selector;
  readonly proof: SelfProof;
  readonly listeners: () => readonly WantedListener[];
  readonly evidence: EvidenceSources;
  readonly resync: ResyncParts;
  /** Absent = the node was not started with --allow-drills. */
  readonly drills: DrillRunner | undefined;
}

type Answers = { readonly [V in keyof NodeRequestMap]: (input: NodeRequestMap[V]["input"]) => Promise<NodeRequestMap[V]["output"]> };

const MAX_ENTRIES = 1_000;

/** The node's answer to every verb of NodeRequestMap. @throws NODE_VERB_UNKNOWN and what the verb throws */
export function createAnswers(parts: AnswerParts): (verb: string, input: unknown) => Promise<unknown> {
  const answers: Answers = {
    "table.show": async () => {
      const { table, drift, applied } = parts.reconciler.state;
      return { rows: table.rows, drift, reconcile: applied?.node.reconcile ?? "mend" };
    },
    "table.add": async ({ row }) => {
      const added = await parts.reconciler.add(validateRow(row));
      parts.drills?.look();
      return { row: added, kept: findRow(parts.reconciler.state.table, added.key) !== undefined };
    },
    "table.delete": async ({ key }) => {
      await parts.reconciler.remove(key);
      parts.drills?.look();
      return { key };
    },
    explain: (question) => explain(parts, question),
    refusals: async ({ after, limit }) => parts.journal.after(after, Math.min(limit, MAX_ENTRIES)),
    prove: async ({ hosts }) => ({ hosts: await parts.proof.proveNow(hosts) }),
    evidence: () => gatherEvidence(parts.evidence),
    resync: async (input) => {
      await parts.drills?.redone(input.part);
      return resync(parts.resync, input);
    },
    "drill.start": async (order) => drillsOf(parts).start(order),
    "drill.stop": async ({ id }) => ({ drills: await drillsOf(parts).stop(id) }),
    "drill.show": async () => {
      parts.drills?.look();
      return { drills: parts.drills?.show() ?? [] };
    },
    certificates: async ({ limit }) => ({ files: parts.certificates.reports(Math.min(limit, MAX_ENTRIES)) }),
  };
  return (verb, input) => {
    if (!isVerb(answers, verb))
      return Promise.reject(new FarmError("NODE_VERB_UNKNOWN", `${parts.node} does not know ${JSON.stringify(verb)}`));
    // Checked by the schema of the admin route that sent it; the union of handlers cannot be called without naming one input.
    return (answers[verb] as (input: unknown) => Promise<unknown>)(input);
  };
}

/** @throws NODE_DRILLS_OFF */
function drillsOf({ drills, node }: AnswerParts): DrillRunner {
  if (drills === undefined) throw new FarmError("NODE_DRILLS_OFF", `${node} was not started with --allow-drills`, { facts: { node } });
  return drills;
}

const isVerb = (answers: Answers, verb: string): verb is keyof NodeRequestMap => Object.hasOwn(answers, verb);

async function explain(parts: AnswerParts, question: ExplainQuestion): Promise<ExplainAnswer> {
  const serverName: ServerName = serverNameOf(question.serverName);
  const listener = parts.listeners().find((one) => one.bindingPort === question.port);
  const asked = question.address === undefined ? listener?.address : parseIpAddress(question.address);
  if (question.address !== undefined && asked === undefined)
    throw new FarmError("ENDPOINT_INVALID", `${question.address} is not an IP address`);
  const address = asked ?? parseIpAddress("0.0.0.0");
  if (address === undefined) throw new FarmError("ENDPOINT_INVALID", "no address to look from");
  const decision = await parts.selector.settled({ serverName, address, port: question.port });
  const proof = serverName.kind === "name" ? parts.proof.known(serverName.host, question.port) : undefined;
  return {
    node: parts.node,
    question: { ...question, address },
    decision,
    ...(proof === undefined ? {} : { proof }),
  };
}
