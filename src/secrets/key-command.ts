import { spawn } from "node:child_process";

import { FarmError, systemCode } from "../base/index.ts";
import { MAX_FARM_KEY_TEXT } from "./farm-key.ts";

const DEADLINE_MS = 10_000;
const MAX_COMPLAINT = 1_000;
/** What is left of an ended program's output is given this long: a grandchild may hold its pipes open. */
const DRAIN_MS = 500;

/**
 * What a program prints on standard output, at most what a farm key can have. It is run without a shell: who wants one says `sh -c …` with a
 * script's path. Errors quote its standard error, never its output. @throws SECRETS_KEY_COMMAND_FAILED
 */
export async function runKeyCommand(command: string, deadlineMs = DEADLINE_MS): Promise<Uint8Array> {
  const [program, ...args] = command.trim().split(/\s+/);
  if (program === undefined || program === "") throw failed(command, "it is empty", "");
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], detached: process.platform !== "win32", windowsHide: true });
  const out: Buffer[] = [];
  let taken = 0;
  let complaint = "";
  let deadline: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      const fail = (problem: string): void => reject(failed(command, problem, complaint));
      deadline = setTimeout(() => fail(`it did not end within ${deadlineMs / 1000} s`), deadlineMs);
      child.once("error", (error) => fail(`it cannot be run (${systemCode(error) ?? "unknown"})`));
      child.stdout.on("data", (piece: Buffer) => {
        taken += piece.byteLength;
        if (taken > MAX_FARM_KEY_TEXT) fail("it prints more than a farm key");
        else out.push(piece);
      });
      child.stderr.on("data", (piece: Buffer) => {
        complaint = (complaint + piece.toString("utf8")).slice(0, MAX_COMPLAINT);
      });
      const done = (code: number | null, signal: string | null): void => {
        if (code === 0) resolve(Buffer.concat(out));
        else fail(code === null ? `it was ended by ${signal ?? "a signal"}` : `it ended with ${code}`);
      };
      child.once("close", done);
      child.once("exit", (code, signal) => setTimeout(() => done(code, signal), DRAIN_MS).unref());
    });
  } finally {
    clearTimeout(deadline);
    kill(child.pid);
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  }
}

/** The program with everything it started. */
function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === "win32" ? pid : -pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

function failed(command: string, problem: string, complaint: string): FarmError {
  const said = complaint.trim() === "" ? "" : `; it said: ${complaint.trim()}`;
  // Arguments may hold more than people want in a log: the program's name tells which it was.
  const program = command.trim().split(/\s+/, 1)[0] ?? "";
  return new FarmError("SECRETS_KEY_COMMAND_FAILED", `the farm key command ${program}: ${problem}${said}`, { facts: { program } });
}
