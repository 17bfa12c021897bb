/** Warnings of the farm's processes on the operator's screen: held back while the farm starts, when they are expected. */
export interface Warnings {
  /** A line of the log, with its newline. */
  add(line: string): void;
  /** The farm serves: what was held is of no concern any longer (the log files have it), what comes is told at once. */
  dropHeld(): void;
  /** The farm does not start: what was held may say why. */
  tellHeld(): void;
}

const MAX_HELD = 50;

/** Warnings that go to `tell`. */
export function createWarnings(tell: (text: string) => void): Warnings {
  let held: string[] | undefined = [];
  return {
    add(line) {
      const text = readable(line);
      if (held === undefined) tell(text);
      else if (held.length < MAX_HELD) held.push(text);
    },
    dropHeld() {
      held = undefined;
    },
    tellHeld() {
      for (const text of held ?? []) tell(text);
      held = undefined;
    },
  };
}

/** `12:30:01 web1 warn: a node's port cannot be reached (node: web3, port: 31443)`; text that is no log line stays as it is. */
export function readable(line: string): string {
  const outer = parse(line);
  if (outer === undefined) return line.endsWith("\n") ? line : `${line}\n`;
  const { process: from, ...own } = outer;
  const inner = parse(String(own["message"])) ?? own;
  const { time, level, message, ...facts } = inner;
  const shown = Object.entries(facts)
    .filter(([key, value]) => value !== from && key !== "farm")
    .map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  const at = String(time).slice(11, 19);
  return `${[at, from, level]
    .filter((part) => part !== undefined)
    .map(String)
    .join(" ")}: ${String(message)}${shown.length === 0 ? "" : ` (${shown.join(", ")})`}\n`;
}

function parse(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
