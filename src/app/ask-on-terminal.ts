import { createInterface } from "node:readline/promises";

/** Asks a question on standard error; anything but `y` or `yes` is no, and so are the end of input and Ctrl-C. */
export async function askOnTerminal(question: string, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new AbortController();
  // Ctrl-C on a terminal that is read reaches the interface, not the process: hand it on.
  lines.on("SIGINT", () => process.emit("SIGINT"));
  lines.on("close", () => ended.abort());
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: AbortSignal.any([signal, ended.signal]) });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal.aborted || ended.signal.aborted) return false;
    throw error;
  } finally {
    lines.close();
  }
}
