import type { Facts } from "./errors.ts";

/** How much a line matters. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Structured log: a constant message and varying facts. Facts never hold a secret. */
export interface Log {
  debug(message: string, facts?: Facts): void;
  info(message: string, facts?: Facts): void;
  warn(message: string, facts?: Facts): void;
  error(message: string, facts?: Facts): void;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** A log that hands each JSON line (without the newline) to `write`; lines below `level` are dropped. */
export function createLog(settings: {
  readonly write: (line: string) => void;
  readonly now: () => number;
  readonly level?: LogLevel;
  readonly facts?: Facts;
}): Log {
  const least = ORDER.indexOf(settings.level ?? "info");
  const at =
    (level: LogLevel) =>
    (message: string, facts: Facts = {}): void => {
      if (ORDER.indexOf(level) < least) return;
      const line = { time: new Date(settings.now()).toISOString(), level, message };
      // First and last: its keys lead the line, and no fact of the same name takes their place.
      settings.write(JSON.stringify({ ...line, ...settings.facts, ...facts, ...line }));
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A log that drops everything. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
