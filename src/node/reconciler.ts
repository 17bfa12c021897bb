import { FarmError, toFarmError, type Log } from "../base/index.ts";
import {
  addRow,
  createTable,
  deleteRow,
  desiredTable,
  diffTables,
  driftText,
  mendTable,
  type BindingTable,
  type DesiredTable,
  type Drift,
  type Row,
  type RowKey,
} from "../bindings/index.ts";
import { bindingsOf, createSiteIndex, parseFarmConfig, type FarmConfig, type NodeConfig, type SiteIndex } from "../config/index.ts";
import type { LastGood, Revision } from "../replica/index.ts";
import type { TableFile } from "./table-file.ts";

/** What the reconciler brought about. */
export interface Applied {
  readonly revision: Revision;
  readonly config: FarmConfig;
  readonly node: NodeConfig;
  readonly sites: SiteIndex;
  readonly desired: DesiredTable;
}

/** The table and the configuration that hold now. */
export interface ReconcilerState {
  readonly applied: Applied | undefined;
  readonly table: BindingTable;
  /** Lines that say how the table differs from what the configuration wants. */
  readonly drift: readonly string[];
  /** Why the newest revision is not applied. */
  readonly problem: string | undefined;
}

/** Makes the node's actual state follow the shared configuration. Every call compares the whole of both: there are no events to miss. */
export interface Reconciler {
  readonly state: ReconcilerState;
  /** Gives the newest revision known; older ones than the applied one are ignored. */
  offer(revision: Revision): void;
  /** One pass, joined by all who ask while it runs. Never throws: problems are in `state`. */
  reconcile(): Promise<void>;
  /** Edits the actual table by hand; what the reconciler makes of it next depends on the node's `reconcile` setting. */
  add(row: Row): Promise<Row>;
  remove(key: RowKey): Promise<void>;
}

/** What the reconciler works with. */
export interface ReconcilerParts {
  readonly node: string;
  readonly log: Log;
  readonly tableFile: TableFile;
  readonly lastGood: Pick<LastGood, "save">;
  /** Called after each pass that changed something; applies listeners, content and the serving state. */
  readonly applied: (state: ReconcilerState) => Promise<void>;
}

/** A reconciler that starts from the table on disk. @throws NODE_DISK */
export async function createReconciler(parts: ReconcilerParts): Promise<Reconciler> {
  const loaded = await parts.tableFile.load().catch((error: unknown) => {
    const known = toFarmError(error);
    if (known.code !== "NODE_TABLE_DAMAGED") throw known;
    parts.log.error("the binding table on disk is damaged and is made anew", { problem: known.message });
    return undefined;
  });
  let newest: Revision | undefined;
  let state: ReconcilerState = { applied: undefined, table: loaded ?? createTable([]), drift: [], problem: undefined };
  let tableIsNew = loaded === undefined;
  let queue: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;

  /** Passes and edits never overlap. */
  const exclusively = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.then(ignore, ignore);
    return result;
  };

  const pass = async (): Promise<void> => {
    const before = state;
    const reading =
      newest === undefined || newest.digest === before.applied?.revision.digest ? undefined : readRevision(newest, parts.node);
    const applied = typeof reading === "object" ? reading : before.applied === undefined ? undefined : sameContent(before.applied, newest);
    const problem = typeof reading === "string" ? reading : undefined;
    if (problem !== undefined && problem !== before.problem)
      parts.log.error("revision refused", { revision: newest?.number ?? 0, problem });
    const table = applied === undefined ? before.table : await mend(before.table, applied);
    const drift = applied === undefined ? [] : driftOf(applied, table).map(driftText);
    state = { applied, table, drift, problem };
    if (applied !== undefined && applied !== before.applied) {
      await parts.lastGood.save(applied.revision);
      parts.log.info("revision applied", { revision: applied.revision.number, rows: table.rows.length });
    }
    await parts.applied(state);
  };

  const mend = async (table: BindingTable, applied: Applied): Promise<BindingTable> => {
    if (applied.node.reconcile === "observe" && !tableIsNew) return table;
    const drift = driftOf(applied, table);
    if (drift.length === 0 && !tableIsNew) return table;
    const mended = mendTable(applied.desired.table, table, applied.desired.hostKeys);
    await parts.tableFile.save(mended);
    if (!tableIsNew) for (const one of drift) parts.log.warn("binding table mended", { drift: driftText(one) });
    tableIsNew = false;
    return mended;
  };

  const guarded = async (): Promise<void> => {
    try {
      await pass();
    } catch (error) {
      const problem = toFarmError(error);
      state = { ...state, problem: `${problem.message} (${problem.code})` };
      parts.log.error("reconcile failed", { problem: problem.message, code: problem.code });
    }
  };

  const reconcile = (): Promise<void> => {
    waiting ??= exclusively(async () => {
      waiting = undefined;
      await guarded();
    });
    return waiting;
  };

  const edit = (change: (table: BindingTable) => BindingTable): Promise<void> =>
    exclusively(async () => {
      const table = change(state.table);
      await parts.tableFile.save(table);
      tableIsNew = false;
      state = { ...state, table };
      await guarded();
    });

  return {
    get state() {
      return state;
    },
    offer(revision) {
      if (newest === undefined || revision.number >= newest.number) newest = revision;
    },
    reconcile,
    async add(row) {
      await edit((table) => addRow(table, row));
      return row;
    },
    remove: (key) => edit((table) => deleteRow(table, key)),
  };
}

const driftOf = (applied: Applied, table: BindingTable): readonly Drift[] =>
  diffTables(applied.desired.table, table, applied.desired.hostKeys);

/** What a revision asks of this node, or why it cannot be applied. */
function readRevision(revision: Revision, name: string): Applied | string {
  const reading = parseFarmConfig(revision.yaml);
  if (reading.kind === "invalid") {
    const first = reading.problems[0];
    return `revision ${revision.number} is not valid: ${first?.path ?? ""} ${first?.message ?? ""} (line ${first?.line ?? 0}; ${reading.problems.length} problems)`;
  }
  const node = reading.config.nodes.find((one) => one.name === name);
  if (node === undefined) return new FarmError("NODE_NOT_CONFIGURED", `revision ${revision.number} does not name the node ${name}`).message;
  const desired = desiredTable(bindingsOf(reading.config));
  return { revision, config: reading.config, node, sites: createSiteIndex(reading.config), desired };
}

/** A newer revision with the same text changes the number only. */
function sameContent(applied: Applied, newest: Revision | undefined): Applied {
  if (newest === undefined || newest.digest !== applied.revision.digest || newest.number === applied.revision.number) return applied;
  return { ...applied, revision: newest };
}

function ignore(): void {
  // The one who asked has the outcome; the queue only needs the order.
}
