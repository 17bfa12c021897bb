import { createReports, type NodeReport } from "../replica/index.ts";
import { createAnswers } from "./answer-requests.ts";
import { dialOwnListener } from "./dial-self.ts";
import { followStore } from "./follow-store.ts";
import { createHealthServer } from "./health-server.ts";
import { wantedListeners, type WantedListener } from "./listeners.ts";
import { gatherReport } from "./node-report.ts";
import { openNodeParts, type NodeParts, type NodeSettings } from "./open-parts.ts";
import { judgeReadiness } from "./readiness.ts";
import { createReconciler, type ReconcilerState } from "./reconciler.ts";
import { createReportPublisher } from "./report-publisher.ts";
import { SelfProof } from "./self-proof.ts";
import { createTableFile } from "./table-file.ts";

/** A running node. */
export interface Node {
  report(): NodeReport;
  /** Resolves when the first configuration is applied and its listeners were asked to open. */
  readonly serving: Promise<void>;
  /** Drains, then ends everything the node started. Idempotent. */
  close(): Promise<void>;
}

const DRAIN_MS = 10_000;

/**
 * Starts a node: serves from its own last good copies at once, follows the store from then on, proves itself and reports.
 * @throws NODE_DISK, CERTIFICATES_KEPT_UNUSABLE when the data directory cannot be used; a missing store is not an error
 */
export async function startNode(settings: NodeSettings): Promise<Node> {
  const { name, store, log } = settings;
  const ending = new AbortController();
  const parts = await openNodeParts(settings);
  const { clock, serving, certificates, content } = parts;
  const startedAt = clock.now();
  const listeners = (): readonly WantedListener[] => serving.listeners.open();
  const proof = new SelfProof({
    clock,
    state: serving.state,
    selector: serving.selector,
    listeners,
    dial: (target, host) => dialOwnListener(clock, target, host),
  });
  let drained = false;
  let closing: Promise<void> | undefined;
  const draining = (): boolean => drained || closing !== undefined;

  const first = deferred();
  const applier = createApplier(parts, proof, ending.signal);
  const reconciler = await createReconciler({
    node: name,
    log,
    tableFile: createTableFile(settings.dataDir),
    lastGood: parts.lastGood,
    applied: async (state) => {
      await applier(state, (endpoint) => health.apply(endpoint));
      if (state.applied !== undefined) first.resolve();
      publisher.soon();
    },
  });
  const health = createHealthServer({
    node: name,
    readiness: () => judgeReadiness({ reconciler, serving, proof, draining: draining() }),
    proof,
  });

  const { version } = settings;
  const report = (): NodeReport => gatherReport({ ...parts, ...serving, node: name, version, startedAt, reconciler, proof, draining });
  const reports = createReports(store, { clock, log });
  const publisher = createReportPublisher(() => reports.publish(report()), log, ending.signal);
  certificates.onChange(() => {
    proof.kick();
    publisher.soon();
  });
  content.onChange(() => publisher.soon());
  proof.onChange(() => publisher.soon());

  await startFromOwnCopies(parts, settings, reconciler);
  followStore(
    settings,
    parts,
    {
      reconciler,
      answer: createAnswers({
        node: name,
        reconciler,
        journal: serving.journal,
        certificates,
        selector: serving.selector,
        proof,
        listeners,
      }),
      drained: (now) => {
        drained = now;
        publisher.soon();
      },
    },
    ending.signal,
  );

  const close = async (): Promise<void> => {
    await serving.drain(settings.drainMs ?? DRAIN_MS);
    ending.abort();
    proof.close();
    await health.close();
    await parts.close();
  };
  return { report, serving: first.promise, close: () => (closing ??= close()) };
}

/** Carries a reconciled state out: what is served, what is listened on, which content is wanted. */
function createApplier(parts: NodeParts, proof: SelfProof, signal: AbortSignal) {
  return async (
    state: ReconcilerState,
    applyHealth: (endpoint: NonNullable<ReconcilerState["applied"]>["node"]["health"]) => Promise<void>,
  ): Promise<void> => {
    const { applied } = state;
    if (applied === undefined) return;
    await parts.accessLogs.use(applied.config.limits.accessLog);
    parts.serving.update({ table: state.table, config: applied.config, sites: applied.sites });
    await parts.serving.listeners.apply(wantedListeners(applied.config, applied.node));
    await applyHealth(applied.node.health);
    const folders = new Set(applied.config.sites.flatMap((site) => (site.serve.kind === "content" ? [site.serve.folder] : [])));
    void parts.content.sync([...folders], signal); // never throws; its problems are in the report
    proof.kick();
  };
}

/** The last good revision on the node's own disk is served before the store is asked. */
async function startFromOwnCopies(
  parts: NodeParts,
  settings: NodeSettings,
  reconciler: Awaited<ReturnType<typeof createReconciler>>,
): Promise<void> {
  const kept = await parts.lastGood.load();
  if (kept.kind === "damaged") settings.log.error("the last good configuration on disk is damaged", { problem: kept.problem });
  if (kept.kind !== "found") return;
  reconciler.offer(kept.revision);
  await reconciler.reconcile();
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = ignore;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

function ignore(): void {
  // Replaced before anybody can call it.
}
