import type { Terminal } from "./host.ts";

/** A bar on standard error for what takes more than a second; nothing at all when that is no terminal. */
export interface ProgressBar {
  update(done: number, total: number, note?: string): void;
  /** Takes the bar away. */
  end(): void;
}

const FIRST_MS = 1_000;
const EVERY_MS = 100;
const WIDTH = 30;

/** A bar named after what is done. */
export function createProgressBar(terminal: Terminal, label: string, now: () => number = () => performance.now()): ProgressBar {
  const startedMs = now();
  let drawnMs = -Infinity;
  let drawn = false;
  return {
    update(done, total, note = "") {
      const at = now();
      if (!terminal.isTerminal || at - startedMs < FIRST_MS || at - drawnMs < EVERY_MS) return;
      drawnMs = at;
      drawn = true;
      const filled = total === 0 ? 0 : Math.round((WIDTH * done) / total);
      const line = `${label} ${done}/${total} ${"█".repeat(filled)}${"░".repeat(WIDTH - filled)} ${note}`;
      terminal.write(`\r\u001b[K${line.slice(0, Math.max(20, (terminal.columns ?? 80) - 1))}`);
    },
    end() {
      if (drawn) terminal.write("\r\u001b[K");
      drawn = false;
    },
  };
}
