import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";

import type { RouteOutput } from "../../admin/client.ts";
import { FarmError, systemCode } from "../../base/index.ts";
import { createProgressBar } from "../progress-bar.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, count, formatTime, type Paint } from "../text.ts";

type Plan = RouteOutput<"config.plan">;
type ValidPlan = Extract<Plan, { kind: "valid" }>;
type Served = ValidPlan["impact"]["rows"][number]["before"];

/** Options of the verbs that change the configuration. */
export interface ChangeOptions {
  readonly base?: number;
  readonly note?: string;
  readonly allowBroken?: readonly string[];
  /** Seconds. */
  readonly wait?: number;
}

/** The text of a file; `-` = standard input. @throws CONFIG_UNREADABLE */
async function readYaml(file: string): Promise<string> {
  try {
    return file === "-" ? await readAll(process.stdin) : await readFile(file, "utf8");
  } catch (error) {
    throw new FarmError("CONFIG_UNREADABLE", `${file} cannot be read: ${systemCode(error) ?? String(error)}`, { cause: error });
  }
}

/** `certfarm config validate`: 1 when it is not valid. */
export async function validateConfig(session: Session, file: string): Promise<ExitCode> {
  const client = await session.here();
  const found = await client.call("config.validate", { yaml: await readYaml(file), name: file });
  if (session.json) session.printJson({ file, ...found });
  else if (found.kind === "invalid") session.print(`${found.text}\n${session.paint("red", "✗")} ${clean(file)} is not valid`);
  else session.print(`${found.text === "" ? "" : `${found.text}\n`}${session.paint("green", "✓")} ${clean(file)} is valid`);
  return found.kind === "valid" ? 0 : 1;
}

/** `certfarm config plan`: 1 when it is not valid or would break a host. */
export async function planConfig(session: Session, file: string, options: Pick<ChangeOptions, "base">): Promise<ExitCode> {
  const client = await session.farm();
  const plan = await client.call("config.plan", { yaml: await readYaml(file), ...pick({ base: options.base }) });
  if (session.json) session.printJson(plan);
  else session.print(plan.kind === "invalid" ? `${plan.text}\n${session.paint("red", "✗")} it is not valid` : renderPlan(session, plan));
  return plan.kind === "invalid" || plan.impact.broken.length > 0 ? 1 : 0;
}

/** `certfarm config apply`: 1 when not every node proved it within the wait. */
export async function applyConfig(session: Session, file: string, options: ChangeOptions): Promise<ExitCode> {
  const { base, note, allowBroken } = options;
  const client = await session.farm();
  const applied = await client.call("config.apply", {
    yaml: await readYaml(file),
    by: session.host.user,
    ...pick({ base, note, allowBroken }),
  });
  return finish(session, applied, options.wait);
}

/** `certfarm config rollback`: as apply. */
export async function rollbackConfig(session: Session, number: number, options: Omit<ChangeOptions, "base">): Promise<ExitCode> {
  const { note, allowBroken, wait } = options;
  const client = await session.farm();
  return finish(session, await client.call("config.rollback", { number, by: session.host.user, ...pick({ note, allowBroken }) }), wait);
}

async function finish(session: Session, applied: RouteOutput<"config.apply">, wait: number | undefined): Promise<ExitCode> {
  const { number } = applied.revision;
  if (!session.json) session.print(renderApplied(session, applied));
  const rollout = wait === undefined ? undefined : await waitFor(session, number, wait);
  if (session.json) session.printJson({ ...applied, ...pick({ rollout }) });
  else if (rollout !== undefined) session.print(renderRollout(session, rollout));
  return rollout === undefined || rollout.laggards.length === 0 ? 0 : 1;
}

async function waitFor(session: Session, revision: number, seconds: number): Promise<RouteOutput<"config.awaitProved">> {
  const client = await session.farm();
  const bar = createProgressBar(session.host.err, `revision ${revision} is being proved`);
  try {
    return await client.call(
      "config.awaitProved",
      { revision, timeoutMs: seconds * 1_000 },
      { signal: session.host.signal, onProgress: ({ done, total, laggards }) => bar.update(done, total, laggards[0]?.node ?? "") },
    );
  } finally {
    bar.end();
  }
}

/** `certfarm config show`: the text as it was applied. */
export async function showConfig(session: Session, number: number | undefined): Promise<ExitCode> {
  const client = await session.farm();
  const revision = await client.call("config.show", pick({ number }));
  if (session.json) session.printJson(revision);
  else session.host.out.write(revision.yaml);
  return 0;
}

/** `certfarm config history`. */
export async function configHistory(session: Session, limit: number | undefined): Promise<ExitCode> {
  const client = await session.farm();
  const { revisions } = await client.call("config.history", pick({ limit }));
  if (session.json) session.printJson(revisions);
  else if (revisions.length === 0) session.print("There is no revision yet.");
  else {
    // Only a farm with identities has signers; there, one without is told.
    const isSigned = revisions.some(({ signer, refused }) => signer !== undefined || refused !== undefined);
    const rows = revisions.map(({ number, at, by, digest, note, signer, refused }) => [
      String(number),
      formatTime(at),
      clean(by),
      ...(isSigned ? [clean(signer ?? `refused: ${refused ?? "it is not signed"}`)] : []),
      digest.slice(0, 12),
      clean(note ?? ""),
    ]);
    const head = ["REVISION", "WHEN", "BY", ...(isSigned ? ["SIGNED BY"] : []), "DIGEST", "NOTE"];
    session.print(formatTable(head, rows, session));
  }
  return 0;
}

/** `certfarm config diff`: from one revision to another; the one before the latest and the latest without numbers. */
export async function diffConfig(session: Session, from: number | undefined, to: number | undefined): Promise<ExitCode> {
  const client = await session.farm();
  const last = to ?? (await client.call("config.show", {})).number;
  const found = await client.call("config.diff", { from: from ?? last - 1, to: last });
  if (session.json) session.printJson({ from: from ?? last - 1, to: last, ...found });
  else session.print(found.diff === "" ? "The two are equal." : paintDiff(session.paint, found.diff));
  return 0;
}

function renderPlan(session: Session, plan: ValidPlan): string {
  const { paint } = session;
  const { impact, missing } = plan;
  const rows = impact.rows
    .filter(({ change }) => change !== "same")
    .map(({ change, host, port, nodes, before, after }) => [
      paint(COLOURS[change], `${SYMBOLS[change]} ${change}`),
      clean(host),
      String(port),
      nodes.length > 4 ? count(nodes.length, "node") : nodes.map(clean).join(" "),
      servedText(before),
      servedText(after),
    ]);
  const same = impact.counts.same === 0 ? [] : [`= ${count(impact.counts.same, "host × node pair")} as before`];
  return [
    plan.diff === "" ? `The text is that of revision ${plan.base}.` : paintDiff(paint, plan.diff).trimEnd(),
    ...(plan.warningText === "" ? [] : [plan.warningText.trimEnd()]),
    ...(rows.length === 0 ? [] : [formatTable(["CHANGE", "HOST", "PORT", "NODES", "BEFORE", "AFTER"], rows, session).trimEnd()]),
    ...(impact.totalRows > impact.rows.length ? [`${impact.totalRows - impact.rows.length} more rows are not shown.`] : []),
    ...same,
    ...missingLines(paint, missing),
    conclusion(paint, plan),
  ].join("\n");
}

function missingLines(paint: Paint, missing: ValidPlan["missing"]): readonly string[] {
  if (missing.length === 0) return [];
  const hosts = missing.slice(0, 10).map(({ host }) => clean(host));
  return [`${paint("yellow", "?")} no certificate for ${hosts.join(", ")}${missing.length > 10 ? ", …" : ""}`];
}

function conclusion(paint: Paint, { impact, base, latest }: ValidPlan): string {
  const stale =
    base === latest ? "" : `\n${paint("yellow", "…")} revision ${latest} was made meanwhile: applying this on base ${base} is a conflict`;
  if (impact.broken.length === 0) return `${paint("green", "✓")} no host that is served now would break${stale}`;
  const allow = impact.broken.slice(0, 5).map((host) => `--allow-broken '${clean(host)}'`);
  return `${paint("red", "✗")} this would break ${count(impact.broken.length, "host")} served now; to allow it: ${allow.join(" ")}${impact.broken.length > 5 ? " …" : ""}${stale}`;
}

const SYMBOLS = { same: "=", changed: "~", gained: "+", broken: "✗", removed: "-", unserved: "?" } as const;
const COLOURS = { same: "gray", changed: "yellow", gained: "green", broken: "red", removed: "gray", unserved: "yellow" } as const;

function servedText(served: Served): string {
  if (served.kind === "refuse") return `refused: ${clean(served.reason)}`;
  const prints = served.thumbprints.map((print) => print.slice(0, 8)).join(" ");
  return [served.files.map(clean).join(" and "), prints].filter((part) => part !== "").join(" ");
}

function paintDiff(paint: Paint, diff: string): string {
  return diff
    .split("\n")
    .map((line) => {
      const shown = clean(line.replaceAll("\t", "  "));
      if (line.startsWith("+++") || line.startsWith("---")) return paint("bold", shown);
      if (line.startsWith("+")) return paint("green", shown);
      return line.startsWith("-") ? paint("red", shown) : line.startsWith("@@") ? paint("cyan", shown) : shown;
    })
    .join("\n");
}

function renderApplied({ paint }: Session, applied: RouteOutput<"config.apply">): string {
  const { revision, changed, farmFile, broken, missing, warningText } = applied;
  const warned = warningText === "" ? "" : `${warningText.trimEnd()}\n`;
  if (!changed) return `${warned}= revision ${revision.number} has this text already`;
  const allowed = broken.length === 0 ? "" : `; ${count(broken.length, "host")} broken as allowed`;
  const file = farmFile === "edited" ? `\n${paint("yellow", "…")} config/farm.yaml was edited meanwhile and is left as it is` : "";
  const saved = `${paint("green", "✓")} revision ${revision.number} is saved${allowed}; nodes take it now (certfarm status)${file}`;
  return [`${warned}${saved}`, ...missingLines(paint, missing)].join("\n");
}

function renderRollout({ paint }: Session, { revision, done, total, laggards }: RouteOutput<"config.awaitProved">): string {
  if (laggards.length === 0) return `${paint("green", "✓")} revision ${revision} is proved by ${count(total, "node")}`;
  const lines = laggards.map(({ node, because }) => `${paint("red", "✗")} ${clean(node)}: ${clean(because)}`);
  return [`revision ${revision} is proved by ${done} of ${count(total, "node")}`, ...lines].join("\n");
}

/** The given values without the absent ones. */
function pick<T extends Record<string, unknown>>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // What is left has no undefined values.
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
