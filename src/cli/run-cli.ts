import { CommanderError } from "commander";

import { ERRORS, FarmError, toFarmError } from "../base/index.ts";
import type { CliHost } from "./host.ts";
import { createProgram } from "./program.ts";
import { clean, jsonText } from "./text.ts";

/** Runs one call of the command and returns its exit code: never throws. `args` are the words after the command's name. */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  let code = 0;
  const program = createProgram(host, (outcome) => void (code = outcome));
  try {
    if (args.length === 0) {
      host.err.write(program.helpInformation());
      return ERRORS.USAGE.exit;
    }
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (thrown) {
    return outcomeOf(thrown, host, args.includes("--json"));
  }
}

function outcomeOf(thrown: unknown, host: CliHost, json: boolean): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return 0; // help or version was asked for
  const error = errorOf(thrown);
  if (error.code === "CANCELLED" && host.signal.aborted) return ERRORS.CANCELLED.exit;
  // A message may name what a file or a peer says; commander's have lines.
  const message = error.message.split("\n").map(clean).join("\n");
  if (json) host.out.write(`${jsonText({ error: error.toJSON() }, 2)}\n`);
  else host.err.write(`certfarm: ${message} (${error.code})\n  → ${error.remedy}\n`);
  return ERRORS[error.code].exit;
}

function errorOf(thrown: unknown): FarmError {
  if (!(thrown instanceof CommanderError)) return toFarmError(thrown);
  // `certfarm config` alone prints its help and means it as an error.
  const message = thrown.code === "commander.help" ? "a command is missing" : thrown.message.replace(/^error: /, "");
  return new FarmError("USAGE", message, { cause: thrown });
}
