import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a call of the command did. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The built command. */
export const MAIN = fileURLToPath(new URL("../../../dist/bin/main.js", import.meta.url));

/** Runs the built command in a folder, away from any farm of this machine. */
export function certfarm(
  cwd: string,
  args: readonly string[],
  settings: { readonly env?: Record<string, string>; readonly input?: string } = {},
): Promise<Outcome> {
  const env = { PATH: process.env["PATH"], HOME: cwd, ...settings.env };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...args], { cwd, env, timeout: 60_000, maxBuffer: 32 << 20 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, out, err });
    });
    child.stdin?.end(settings.input ?? "");
  });
}
