import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { systemCode, type Clock, type Log } from "../../base/index.ts";
import type { FarmStore } from "../../store/index.ts";
import type { DrillOrder } from "./types.ts";

/** Marks a node as dead until a drill is over: whoever starts the process again must not bring the node back. */
const MARK = "drill-dead.json";
/** The farm's journal of drills: an entry that has ended lets the node live again. */
const JOURNAL = "drills";
const ANSWER_MS = 200;
const LOOK_MS = 250;
const MAX_MS = 3_600_000;

/** Ends this process as a power failure does, in an instant: the answer to the question goes out first. */
export function dieFor(dataDir: string, clock: Clock): (order: DrillOrder) => Promise<void> {
  return async ({ id, forMs }) => {
    await writeFile(join(dataDir, MARK), JSON.stringify({ id, until: clock.now() + Math.min(forMs, MAX_MS) }), { mode: 0o600 });
    setTimeout(() => process.kill(process.pid, "SIGKILL"), ANSWER_MS);
  };
}

/** What a dead node works with. */
export interface DeadParts {
  readonly dataDir: string;
  readonly store: FarmStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Resolves when no drill wants the node dead: at once, mostly. */
export async function stayDead(parts: DeadParts): Promise<void> {
  const { dataDir, log, signal } = parts;
  const mark = await readMark(dataDir);
  if (mark === undefined) return;
  log.warn("a drill keeps this node dead", { drill: mark.id, until: new Date(mark.until).toISOString() });
  while (!signal.aborted && (await isWanted(parts, mark))) await pause(signal);
  if (!signal.aborted) await rm(join(dataDir, MARK), { force: true });
}

interface Mark {
  readonly id: string;
  readonly until: number;
}

/** A mark that is damaged keeps nobody dead. */
async function readMark(dataDir: string): Promise<Mark | undefined> {
  try {
    const mark: unknown = JSON.parse(await readFile(join(dataDir, MARK), "utf8"));
    if (typeof mark !== "object" || mark === null || !("id" in mark) || !("until" in mark)) return undefined;
    return typeof mark.id === "string" && typeof mark.until === "number" ? { id: mark.id, until: mark.until } : undefined;
  } catch (error) {
    if (systemCode(error) !== undefined || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function isWanted({ clock, store, log }: DeadParts, { id, until }: Mark): Promise<boolean> {
  const left = until - clock.now();
  if (left <= 0 || left > MAX_MS) return false;
  try {
    const entry = await store.state.read(`${JOURNAL}/${id}`);
    return entry !== undefined && !hasEnded(entry.value);
  } catch (error) {
    log.debug("the journal of drills cannot be read", { problem: String(error) });
    return true;
  }
}

function hasEnded(value: Uint8Array): boolean {
  const drill: unknown = JSON.parse(new TextDecoder().decode(value));
  return typeof drill === "object" && drill !== null && "endedAt" in drill;
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LOOK_MS);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
