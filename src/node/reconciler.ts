import { FarmError, toFarmError, type Log } from "../base/index.ts";
import {
  addRow,
  createTable,
  deleteRow,
  desiredTable,
  diffTables,
  driftText,
  mendTable,
  rowKeyText,
  type BindingTable,
  type DesiredTable,
  type Drift,
  type Row,
  type RowKey,
} from "../bindings/index.ts";
import { bindingsOf, createSiteIndex, type FarmConfig, type NodeConfig, type SiteIndex } from "../config/index.ts";
import { readConfig, type LastGood, type Revision } from "../replica/index.ts";
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

/** What the reconciler works with. */
export interface ReconcilerParts {
  readonly node: string;
  readonly log: Log;
  readonly tableFile: TableFile;
  readonly lastGood: Pick<LastGood, "save">;
  /** Called after every pass; applies listeners, content and the serving state. */
  readonly applied: (state: ReconcilerState) => Promise<void>;
  /** A drill: why the newest revision is not taken. */
  readonly heldBack?: () => string | undefined;
}

const TABLE = "the binding table";

/**
 * Makes the node's actual state follow the shared configuration. Every pass compares the whole of both: there are no events to miss,
 * and a start, a new revision, a resync and an edited table are the same thing.
 */
export class Reconciler {
  readonly #parts: ReconcilerParts;
  #state: ReconcilerState;
  #newest: Revision | undefined;
  /** No table was on disk: the first one is made even where drift is only observed. */
  #isFirst: boolean;
  /** What the log was told last. */
  #refusal: string | undefined;
  #failure: string | undefined;
  /** By what it is; an edited or newer version takes the place of an older one. */
  readonly #unwritten = new Map<string, { readonly save: () => Promise<void>; readonly problem: string }>();
  /** While a drill holds a wrong table: the right one. */
  #held: BindingTable | undefined;
  #queue: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  constructor(parts: ReconcilerParts, loaded: BindingTable | undefined) {
    this.#parts = parts;
    this.#isFirst = loaded === undefined;
    this.#state = { applied: undefined, table: loaded ?? createTable([]), drift: [], problem: undefined };
  }

  get state(): ReconcilerState {
    return this.#state;
  }

  /** Gives the newest revision known; older ones are ignored. */
  offer(revision: Revision): void {
    const newest = this.#newest;
    // A lower number that was made later is the newest all the same: the store was restored from a backup meanwhile.
    if (newest === undefined || revision.number >= newest.number || revision.at > newest.at) this.#newest = revision;
  }

  /** One pass, shared by all who ask while it waits for its turn. Never rejects: problems are in `state`. */
  reconcile(): Promise<void> {
    this.#waiting ??= this.#exclusively(async () => {
      this.#waiting = undefined;
      await this.#guardedPass();
    });
    return this.#waiting;
  }

  /** Adds a row to the actual table; what the next pass makes of it depends on the node's `reconcile` setting. */
  async add(row: Row): Promise<Row> {
    await this.#edit((table) => addRow(table, row));
    return row;
  }

  remove(key: RowKey): Promise<void> {
    return this.#edit((table) => deleteRow(table, key));
  }

  /** Makes the table what the configuration wants, also where drift is only observed. */
  mendNow(): Promise<void> {
    return this.#edit((table) => {
      const desired = this.#state.applied?.desired;
      return desired === undefined ? table : mendTable(desired.table, table, desired.hostKeys);
    });
  }

  /** A drill: the table is a wrong one, and stays so until an edit, `mendNow` or `release` makes it right. The disk keeps the right one. */
  hold(change: (table: BindingTable) => BindingTable): Promise<void> {
    return this.#exclusively(async () => {
      const right = this.#held ?? this.#state.table;
      const table = change(right);
      this.#held = right;
      this.#state = { ...this.#state, table };
      await this.#guardedPass();
    });
  }

  /** Ends what `hold` began. */
  release(): Promise<void> {
    return this.#exclusively(async () => {
      if (this.#held === undefined) return;
      this.#state = { ...this.#state, table: this.#held };
      this.#held = undefined;
      await this.#guardedPass();
    });
  }

  /** Whether a wrong table is held. */
  get isHeld(): boolean {
    return this.#held !== undefined;
  }

  #edit(change: (table: BindingTable) => BindingTable): Promise<void> {
    return this.#exclusively(async () => {
      const table = change(this.#state.table);
      const right = this.#held === undefined ? table : editedToo(change, this.#held);
      await this.#parts.tableFile.save(right);
      this.#held = isSameTable(right, table) ? undefined : right;
      this.#unwritten.delete(TABLE);
      this.#isFirst = false;
      this.#state = { ...this.#state, table };
      await this.#guardedPass();
    });
  }

  /** Passes and edits never overlap. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.then(ignore, ignore);
    return result;
  }

  async #guardedPass(): Promise<void> {
    try {
      await this.#pass();
      this.#failure = undefined;
    } catch (error) {
      const { message, code } = toFarmError(error);
      const problem = `${message} (${code})`;
      // A port that is taken is tried every second: told once.
      if (problem !== this.#failure) this.#parts.log.error("reconcile failed", { problem: message, code });
      this.#failure = problem;
      this.#state = { ...this.#state, problem };
    }
  }

  async #pass(): Promise<void> {
    const before = this.#state;
    const { applied, problem: refusal } = await this.#read(before.applied);
    if (refusal !== undefined && refusal !== this.#refusal) this.#parts.log.error("revision refused", { problem: refusal });
    this.#refusal = refusal;
    await this.#writeAgain();
    const table = applied === undefined ? before.table : await this.#mend(before.table, applied);
    const drift = applied === undefined ? [] : driftOf(applied, table).map(driftText);
    if (applied !== undefined && applied !== before.applied) {
      await this.#persist("the last good configuration", () => this.#parts.lastGood.save(applied.revision));
      this.#parts.log.info("revision applied", { revision: applied.revision.number, rows: table.rows.length });
    }
    const [unwritten] = this.#unwritten.values();
    this.#state = { applied, table, drift, problem: refusal ?? unwritten?.problem };
    await this.#parts.applied(this.#state);
  }

  /** The newest revision when it can be applied, else what was applied before, and why. */
  async #read(before: Applied | undefined): Promise<{ readonly applied: Applied | undefined; readonly problem: string | undefined }> {
    const heldBack = this.#parts.heldBack?.();
    if (heldBack !== undefined && before !== undefined) return { applied: before, problem: heldBack };
    const newest = this.#newest;
    if (newest === undefined) return { applied: before, problem: undefined };
    if (newest.digest === before?.revision.digest) return { applied: withRevision(before, newest), problem: undefined };
    const reading = await readRevision(newest, this.#parts.node);
    return typeof reading === "string" ? { applied: before, problem: reading } : { applied: reading, problem: undefined };
  }

  /** A full disk is told and reported, and the node serves on: what is written is only needed at the next start. Every pass tries again. */
  async #persist(what: string, save: () => Promise<void>): Promise<void> {
    try {
      await save();
      this.#unwritten.delete(what);
    } catch (error) {
      const problem = `the node's disk cannot be written: ${toFarmError(error).message}`;
      if (this.#unwritten.get(what)?.problem !== problem) this.#parts.log.error("the node's disk cannot be written", { what, problem });
      this.#unwritten.set(what, { save, problem });
    }
  }

  /** What an earlier pass could not write. */
  async #writeAgain(): Promise<void> {
    for (const [what, { save }] of this.#unwritten) await this.#persist(what, save);
  }

  async #mend(table: BindingTable, applied: Applied): Promise<BindingTable> {
    if (this.#held !== undefined || (applied.node.reconcile === "observe" && !this.#isFirst)) return table;
    const drift = driftOf(applied, table);
    if (drift.length === 0 && !this.#isFirst) return table;
    const mended = mendTable(applied.desired.table, table, applied.desired.hostKeys);
    await this.#persist(TABLE, () => this.#parts.tableFile.save(mended));
    if (!this.#isFirst)
      for (const one of drift) this.#parts.log.warn("binding table differs from the configuration", { drift: driftText(one) });
    this.#isFirst = false;
    return mended;
  }
}

/** A reconciler that starts from the table on disk; a damaged one is made anew. @throws NODE_DISK */
export async function createReconciler(parts: ReconcilerParts): Promise<Reconciler> {
  const loaded = await parts.tableFile.load().catch((error: unknown) => {
    const known = toFarmError(error);
    if (known.code !== "NODE_TABLE_DAMAGED") throw known;
    parts.log.error("the binding table on disk is damaged and is made anew", { problem: known.message });
    return undefined;
  });
  return new Reconciler(parts, loaded);
}

/** The edit of a wrong table, done to the right one as well: what it mends is right there already. */
function editedToo(change: (table: BindingTable) => BindingTable, table: BindingTable): BindingTable {
  try {
    return change(table);
  } catch (error) {
    const { code } = toFarmError(error);
    if (code !== "BINDING_ROW_EXISTS" && code !== "BINDING_ROW_ABSENT") throw error;
    return table;
  }
}

const isSameTable = (one: BindingTable, other: BindingTable): boolean =>
  one.rows.length === other.rows.length && one.rows.every((row, at) => isSameRow(row, other.rows[at]));

const isSameRow = (row: Row, other: Row | undefined): boolean =>
  other !== undefined && rowKeyText(row.key) === rowKeyText(other.key) && row.file === other.file;

const driftOf = (applied: Applied, table: BindingTable): readonly Drift[] =>
  diffTables(applied.desired.table, table, applied.desired.hostKeys);

/** What a revision asks of this node, or why it cannot be applied. */
async function readRevision(revision: Revision, name: string): Promise<Applied | string> {
  const reading = await readConfig(revision.yaml);
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
const withRevision = (applied: Applied, newest: Revision): Applied =>
  newest.number === applied.revision.number ? applied : { ...applied, revision: newest };

function ignore(): void {
  // The one who asked has the outcome; the queue only needs the order.
}
