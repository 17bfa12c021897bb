import { FarmError } from "../base/index.ts";

/** The error for a configuration that its own server would refuse too. `problem` says what, without the file's name. */
export function invalid(path: string, line: number, problem: string): FarmError {
  return new FarmError("PEER_CONFIG_INVALID", `${path}:${line}: ${problem}`, { facts: { file: path, line } });
}

/** Text of a configuration as a message shows it: short, and nothing in it moves a cursor. */
export const shown = (text: string): string => JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
