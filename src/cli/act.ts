import type { Session } from "./session.ts";

/** Turns a verb into commander's action: options and arguments in, an exit code out. */
export type Act = (run: (session: Session, given: Given) => Promise<number>) => (...parameters: unknown[]) => Promise<void>;

/** What the operator gave to a verb. */
export interface Given {
  readonly arguments: readonly unknown[];
  /** Options of the verb and of the command, as commander parsed them. */
  readonly options: Readonly<Record<string, unknown>>;
}
