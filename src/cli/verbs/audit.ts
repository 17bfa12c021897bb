import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";

import type { RouteOutput } from "../../admin/client.ts";
import { FarmError, systemCode } from "../../base/index.ts";
import { repeat } from "../repeat.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, count, formatTime } from "../text.ts";

type Entry = RouteOutput<"audit.list">["entries"][number];
type Verdict = RouteOutput<"audit.verify">;

/** `certfarm audit`. */
export async function showAudit(session: Session, options: { readonly follow?: boolean; readonly limit?: number }): Promise<ExitCode> {
  const client = await session.farm();
  const { limit = 50 } = options;
  const first = await client.call("audit.list", { limit });
  if (options.follow !== true) {
    if (session.json) session.printJson(first);
    else if (first.entries.length === 0) session.print("Nothing has been changed yet.");
    else session.print(formatTable(HEAD, first.entries.map(cells), session));
    return 0;
  }
  let { seq } = first.head;
  printFollowed(session, first.entries);
  await repeat(session.host.signal, async () => {
    try {
      const next = await client.call("audit.list", { after: seq, limit: 1_000 }, { signal: session.host.signal });
      printFollowed(session, next.entries);
      seq = next.entries.at(-1)?.seq ?? Math.min(seq, next.head.seq);
    } catch (error) {
      if (!session.host.signal.aborted) throw error;
    }
  });
  return 0;
}

const HEAD = ["ENTRY", "WHEN", "WHO", "ROLE", "ACTION", "TARGET", "OUTCOME"];

const cells = ({ seq, at, caller, action, target, phase, of, outcome, detail }: Entry): readonly string[] => [
  String(seq),
  formatTime(at),
  clean(caller.name),
  clean(caller.role),
  clean(action),
  clean(target),
  outcomeText({ phase, of, outcome, detail }),
];

function outcomeText({ phase, of, outcome, detail }: { [K in "phase" | "of" | "outcome" | "detail"]: Entry[K] | undefined }): string {
  if (phase === "begun") return of === undefined ? "begun" : `begun (part of ${of})`;
  const why = detail === undefined ? "" : ` ${clean(detail)}`;
  const whose = of === undefined ? "" : phase === "ended" ? ` (${of})` : ` (part of ${of})`;
  return `${outcome ?? phase}${why}${whose}`;
}

function printFollowed(session: Session, entries: readonly Entry[]): void {
  for (const entry of entries) {
    if (session.json) session.host.out.write(`${JSON.stringify(entry)}\n`);
    else session.print(cells(entry).join("  "));
  }
}

/** `certfarm audit verify`: 1 = it is broken. */
export async function verifyAudit(session: Session, files: readonly string[], pin: string | undefined): Promise<ExitCode> {
  const pinned = pin === undefined ? {} : { pin };
  const verdict =
    files.length === 0
      ? await (await session.farm()).call("audit.verify", pinned)
      : await (await session.here()).call("audit.verifyFiles", { files: [...files], ...pinned, ...(await authorityOf(session)) });
  if (session.json) session.printJson(verdict);
  else session.print(verdictText(session, verdict));
  return verdict.isWhole ? 0 : 1;
}

async function authorityOf({ authorityFile }: Session): Promise<{ authorityPem?: string }> {
  if (authorityFile === undefined) return {};
  try {
    return { authorityPem: await readFile(authorityFile, "utf8") };
  } catch (error) {
    throw new FarmError("INPUT_FILE_UNUSABLE", `${authorityFile} cannot be read: ${systemCode(error) ?? String(error)}`, { cause: error });
  }
}

function verdictText({ paint }: Session, { isWhole, broken, from, end, entries, signed, unknownSigners, open }: Verdict): string {
  const where = from > 1 ? ` (those before ${from} have left the store; the admin API kept them in its folder audit)` : "";
  const lines = isWhole
    ? [`${paint("green", "✓")} ${count(entries, "entry", "entries")}, each follows from the one before${where}`]
    : [`${paint("red", "✗")} ${clean(broken?.text ?? "it is broken")}`, `  whole up to entry ${end.seq}${where}`];
  if (signed > 0) lines.push(`  ${count(signed, "entry", "entries")} signed by admins of this farm`);
  if (unknownSigners > 0) lines.push(`  ${count(unknownSigners, "entry", "entries")} signed by an authority that is not known here`);
  for (const { seq, action, target, caller } of open) {
    lines.push(
      `  … entry ${seq}: ${clean(action)} ${clean(target)} by ${clean(caller.name)} was begun, and how it ended is not in the log`,
    );
  }
  return [...lines, `end: ${end.seq}:${end.digest}`].join("\n");
}

/** `certfarm audit export`. */
export async function exportAudit(session: Session, file: string): Promise<ExitCode> {
  const client = await session.farm();
  const target = file === "-" ? undefined : await openFile(file);
  const write = (line: unknown): void => {
    const text = `${JSON.stringify(line)}\n`;
    if (target === undefined) session.host.out.write(text);
    else target.write(text);
  };
  const { entries, head } = await client.call("audit.export", {}, { onProgress: write });
  if (target !== undefined) await new Promise<void>((resolve) => target.end(() => resolve()));
  if (target?.errored) throw unwritable(file, target.errored);
  session.host.err.write(`${session.paint("green", "✓")} ${count(entries, "entry", "entries")}\nend: ${head.seq}:${head.digest}\n`);
  return 0;
}

async function openFile(file: string): Promise<ReturnType<typeof createWriteStream>> {
  const stream = createWriteStream(file, { mode: 0o600 });
  try {
    await new Promise<void>((resolve, reject) => {
      stream.once("open", () => resolve());
      stream.once("error", reject);
    });
  } catch (error) {
    throw unwritable(file, error);
  }
  stream.on("error", () => {}); // told at the end, by `errored`
  return stream;
}

const unwritable = (file: string, error: unknown): FarmError =>
  new FarmError("OUTPUT_FILE_UNWRITABLE", `${file} cannot be written: ${systemCode(error) ?? String(error)}`, { cause: error });
