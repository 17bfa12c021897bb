import { InvalidArgumentError, type Command } from "commander";

import { parsePort } from "../base/index.ts";

/** Adds `Examples:` to a verb's help. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${lines.map((line) => `  $ certfarm ${line}`).join("\n")}`);
}

/** A port from 1 to 65535. */
export function port(text: string): number {
  const parsed = parsePort(text);
  if (parsed === undefined) throw new InvalidArgumentError("It is not a port from 1 to 65535.");
  return parsed;
}

/** A whole number between two bounds. */
export const whole =
  (least: number, most: number) =>
  (text: string): number => {
    const number = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= least && number <= most)) throw new InvalidArgumentError(`It is not a whole number from ${least} to ${most}.`);
    return number;
  };

/** For options that may be given several times. */
export const collect = (text: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), text];
