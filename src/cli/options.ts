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

/** `a,b,c`, which may be given several times. */
export const commaList = (text: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  ...text.split(",").flatMap((part) => (part.trim() === "" ? [] : [part.trim()])),
];

/** A file whose name ends as it should: where a file may be left out, a word that follows is easily taken for one. */
export const fileEnding =
  (...endings: readonly string[]) =>
  (text: string): string => {
    if (endings.some((ending) => text.endsWith(ending))) return text;
    throw new InvalidArgumentError(`The file's name must end in ${endings.join(" or ")}; put hosts before the option.`);
  };
