import { setTimeout } from "node:timers/promises";

import type { Instant } from "../base/index.ts";
import { createReports, type NodeReport, type RequestHandler } from "../replica/index.ts";
import { createAnswers } from "./answer-requests.ts";
import { createDrillRunner, type DrillRunner } from "./drills/drill-runner.ts";
import { dieFor } from "./drills/stay-dead.ts";
import { dialOwnListener } from "./dial-self.ts";
import { followStore } from "./follow-store.ts";
import type { CertificateFault } from "./faulty-certificates.ts";
import { createHealthServer, type HealthServer } from "./health-server.ts";
import { wantedListeners, type WantedListener } from "./listeners.ts";
import { gatherReport, staleSinceOf } from "./node-report.ts";
import { openNodeParts, type NodeParts, type NodeSettings } from "./open-parts.ts";
import type { EvidenceAnswer } from "./requests.ts";
import { judgeReadiness, type Readiness } from "./readiness.ts";
import { createReconciler, type Reconciler, type ReconcilerState } from "./reconciler.ts";
import { createReportPublisher, type ReportPublisher } from "./report-publisher.ts";
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
  const node = new RunningNode(settings, await openNodeParts(settings));
  try {
    await node.start();
  } catch (error) {
    await node.close();
    throw error;
  }
  return node;
}

class RunningNode implements Node {
  readonly serving: Promise<void>;
  readonly #settings: NodeSettings;
  readonly #parts: NodeParts;
  readonly #proof: SelfProof;
  readonly #health: HealthServer;
  readonly #publisher: ReportPublisher;
  readonly #ending = new AbortController();
  readonly #startedAt: Instant;
  #reconciler: Reconciler | undefined;
  #drills: DrillRunner | undefined;
  #firstApplied: () => void = ignore;
  #drained = false;
  #closing: Promise<void> | undefined;

  constructor(settings: NodeSettings, parts: NodeParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#startedAt = parts.clock.now();
    this.serving = new Promise((resolve) => {
      this.#firstApplied = resolve;
    });
    const { clock, serving } = parts;
    this.#proof = new SelfProof({
      clock,
      state: serving.state,
      selector: serving.selector,
      listeners: () => serving.listeners.open(),
      chainLength: (file) => {
        const known = parts.certificates.view.file(file);
        return known?.state === "usable" ? known.leaf.chainLength : undefined;
      },
      dial: (target, host) => dialOwnListener(clock, target, host),
    });
    const readiness = (): Readiness =>
      judgeReadiness({
        applied: this.#reconciler?.state.applied,
        serving,
        proof: this.#proof,
        draining: this.#isDraining(),
        staleSince: staleSinceOf(parts),
      });
    const { name, log, adopt } = settings;
    const health = { node: name, log, clock, readiness, proof: this.#proof };
    this.#health = createHealthServer(adopt === undefined ? health : { ...health, adopt });
    const reports = createReports(settings.store, { clock, log: settings.log, signing: settings.signing });
    this.#publisher = createReportPublisher(() => reports.publish(this.report()), settings.log, this.#ending.signal);
    this.#watchParts();
  }

  async start(): Promise<void> {
    const { name, log, dataDir } = this.#settings;
    const { kept, lastGood, serving } = this.#parts;
    const applied = (state: ReconcilerState): Promise<void> => this.#apply(state);
    const heldBack = (): string | undefined => this.#parts.drilled?.faults.heldBack;
    const reconciler = await createReconciler({ node: name, log, tableFile: createTableFile(dataDir), lastGood, applied, heldBack });
    this.#reconciler = reconciler;
    this.#drills = this.#createDrills(reconciler);
    if (kept.kind === "damaged") log.error("the last good configuration on disk is damaged", { problem: kept.problem });
    if (kept.kind === "found") {
      reconciler.offer(kept.revision);
      await reconciler.reconcile();
    }
    const answer = this.#createAnswers(reconciler);
    const drained = (now: boolean): void => {
      this.#drained = now;
      this.#publisher.soon();
    };
    const listening = (): boolean => serving.listeners.healthy && this.#health.healthy;
    followStore(this.#settings, this.#parts, { reconciler, answer, drained, listening }, this.#ending.signal);
  }

  #createAnswers(reconciler: Reconciler): RequestHandler {
    const { name } = this.#settings;
    const { clock, store, certificates, serving, tickets, drilled, revisions, requestRefusals } = this.#parts;
    const { journal, selector } = serving;
    const proof = this.#proof;
    const listeners = (): readonly WantedListener[] => serving.listeners.open();
    return createAnswers({
      node: name,
      reconciler,
      journal,
      certificates,
      selector,
      proof,
      listeners,
      evidence: {
        clock,
        store,
        reconciler,
        journal,
        certificates,
        tickets: { current: () => serving.state().ticketKeys },
        report: () => this.report(),
        refusedRequests: () => requestRefusals.show(),
        listing: () => listingOf(drilled?.certificates.fault),
      },
      drills: this.#drills,
      resync: { reconciler, certificates, tickets, serving, proof, latest: () => revisions.latest() },
    });
  }

  #createDrills(reconciler: Reconciler): DrillRunner | undefined {
    const { serving, tickets, drilled } = this.#parts;
    const { dataDir, log } = this.#settings;
    if (drilled === undefined) return undefined;
    const die = dieFor(dataDir, drilled.clock);
    return createDrillRunner({ ...drilled, reconciler, serving, tickets, log, proof: this.#proof, die });
  }

  report(): NodeReport {
    return gatherReport({
      ...this.#parts,
      node: this.#settings.name,
      version: this.#settings.version,
      startedAt: this.#startedAt,
      reconciled: this.#reconciler?.state,
      proof: this.#proof,
      draining: this.#isDraining(),
      identity: this.#settings.identity?.(),
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#publisher.soon(); // that it drains
    const { noticeMs = 0 } = this.#settings;
    this.#parts.serving.announceEnd();
    if (noticeMs > 0) await setTimeout(noticeMs);
    await this.#parts.serving.drain(this.#settings.drainMs ?? DRAIN_MS);
    this.#ending.abort();
    await this.#drills?.close();
    this.#proof.close();
    await this.#health.close();
    await this.#parts.close();
  }

  #isDraining(): boolean {
    return this.#drained || this.#closing !== undefined;
  }

  #watchParts(): void {
    const { certificates, content } = this.#parts;
    certificates.onChange(() => {
      this.#proof.kick();
      this.#publisher.soon();
    });
    content.onChange(() => this.#publisher.soon());
    this.#proof.onChange(() => {
      this.#drills?.look();
      this.#publisher.soon();
    });
  }

  /** Carries a reconciled state out: what is served, what is listened on, which content is wanted. */
  async #apply({ applied, table }: ReconcilerState): Promise<void> {
    this.#publisher.soon();
    if (applied === undefined) return;
    const { accessLogs, serving, content } = this.#parts;
    const { config, node, sites } = applied;
    await accessLogs.use(config.limits.accessLog);
    serving.update({ table, config, sites });
    await serving.listeners.apply(wantedListeners(config, node));
    const folders = new Set(config.sites.flatMap((site) => (site.serve.kind === "content" ? [site.serve.folder] : [])));
    void content.sync([...folders], this.#ending.signal); // never rejects; its problems are in the report
    this.#proof.kick();
    this.#firstApplied();
    this.#parts.listening();
    await this.#health.apply(node.health); // last: a health port that is taken is a problem to report, and keeps nothing else back
  }
}

function listingOf(fault: CertificateFault | undefined): EvidenceAnswer["listing"] {
  return fault?.listedAs === undefined ? undefined : { without: [...fault.files], with: fault.listedAs };
}

function ignore(): void {
  // Replaced before anybody can call it.
}
