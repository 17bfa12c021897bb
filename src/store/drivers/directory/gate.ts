import { FarmError } from "../../../base/index.ts";

/**
 * Lets disk work through, a few at a time and each with a deadline. A hard-mounted share that hangs blocks the threads that ask
 * it, for ever: so at most `ACTIVE` of Node's four are given to it, and while one is overdue the rest is refused at once.
 */
export interface Gate {
  /** @throws STORE_UNAVAILABLE when the disk does not answer */
  run<T>(doing: string, work: () => Promise<T>, options?: GateOptions): Promise<T>;
  /** Refuses all that comes later. */
  close(): void;
}

/** What is special about a piece of work. */
interface GateOptions {
  /** What to say instead when it is late, of work whose outcome is unknown then. */
  readonly late?: () => FarmError | undefined;
  /** For work that is large by nature, such as listing a folder of a hundred thousand files on a share. */
  readonly deadlineMs?: number;
}

const ACTIVE = 3;
/** Work in line at most. */
const MAX_WAITING = 10_000;
/** How long the disk may take for one small piece of work. */
const DISK_DEADLINE_MS = 4000;

/** A gate before one directory. */
export function createGate(usualMs: number = DISK_DEADLINE_MS): Gate {
  const waiting: (() => void)[] = [];
  let active = 0;
  let overdue = 0;
  let isClosed = false;

  const refusal = (doing: string, why: string): FarmError => new FarmError("STORE_UNAVAILABLE", `${doing}: ${why}`);
  const unanswered = (doing: string): FarmError => refusal(doing, "the disk or share does not answer");

  async function enter(doing: string): Promise<void> {
    if (isClosed) throw refusal(doing, "the store was closed");
    if (overdue > 0) throw unanswered(doing);
    if (active >= ACTIVE) await waitInLine(doing);
    else active += 1;
  }

  /** Whoever leaves hands its place over, so `active` stays as it is. */
  async function waitInLine(doing: string): Promise<void> {
    if (waiting.length >= MAX_WAITING) throw refusal(doing, "too much is asked of the store at once");
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(unanswered(doing));
      }, usualMs);
      waiting.push(go);
    });
  }

  function leave(): void {
    const next = waiting.shift();
    if (next === undefined) active -= 1;
    else next();
  }

  return {
    async run(doing, work, { late, deadlineMs = usualMs } = {}) {
      await enter(doing);
      let isLate = false;
      const begun = work().finally(() => {
        clearTimeout(timer);
        if (isLate) overdue -= 1;
        leave();
      });
      let timer: NodeJS.Timeout | undefined;
      const deadline = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => {
          isLate = true;
          overdue += 1;
          reject(late?.() ?? unanswered(doing));
        }, deadlineMs);
      });
      return Promise.race([begun, deadline]);
    },
    close() {
      isClosed = true;
    },
  };
}
