import { ROUTES, type RouteProgress } from "../../admin/client.ts";
import { FarmError, toFarmError } from "../../base/index.ts";
import { readInputFile, writeOutputFile } from "../files.ts";
import { createProgressBar } from "../progress-bar.ts";
import { repeat } from "../repeat.ts";
import { compareReports, isUnchanged } from "../reports/compare-reports.ts";
import { htmlReport } from "../reports/html-report.ts";
import { junitReport } from "../reports/junit.ts";
import { prometheusReport } from "../reports/prometheus.ts";
import { renderChanges, renderSince } from "../reports/render-changes.ts";
import { exitCodeOf, renderReport } from "../reports/render-report.ts";
import type { DoctorReport } from "../reports/types.ts";
import type { ExitCode, Session } from "../session.ts";
import { clean, formatTime, jsonText } from "../text.ts";
import { farmInput, hereInput, isHere, type LookOptions } from "./look.ts";
import { nextCommands } from "./next-commands.ts";

/** Options of `certfarm doctor`. */
export interface DoctorOptions extends LookOptions {
  /** Seconds from the end of one look to the next; true = the default. */
  readonly watch?: number | true;
  readonly since?: string;
  /** A file; true = standard output. */
  readonly junit?: string | true;
  readonly prometheus?: string | true;
  readonly html?: string;
}

const WATCH_S = 2;
/** A report of 50,000 hosts on ten nodes. */
const MOST_REPORT = 256 << 20;

/** `certfarm doctor`: 0 healthy, 1 findings, 2 nothing could be looked at. */
export async function doctor(session: Session, hosts: readonly string[], options: DoctorOptions): Promise<ExitCode> {
  checkOutputs(session, options);
  const look = await createLook(session, hosts, options);
  if (options.watch !== undefined) return watch(session, options, look);
  const before = options.since === undefined ? undefined : await readReport(options.since);
  const report = await look();
  await writeFiles(report, options);
  printReport(session, report, { options, before });
  return exitCodeOf(report);
}

/** Standard output takes one form. @throws USAGE */
function checkOutputs({ json }: Session, { junit, prometheus, watch, since }: DoctorOptions): void {
  const forms = [...(json ? ["--json"] : []), ...(junit === true ? ["--junit"] : []), ...(prometheus === true ? ["--prometheus"] : [])];
  if (forms.length > 1) throw new FarmError("USAGE", `${forms.join(" and ")} both want standard output: give one of them a file`);
  if (watch === undefined) return;
  if (junit === true || prometheus === true)
    throw new FarmError("USAGE", `${forms.join()} with --watch needs a file, which is written again each time`);
  if (since !== undefined) throw new FarmError("USAGE", "--since and --watch do not go together");
}

type Look = () => Promise<DoctorReport>;

/** One look at what the options name, with a progress bar. */
async function createLook(session: Session, hosts: readonly string[], options: DoctorOptions): Promise<Look> {
  const { signal } = session.host;
  if (isHere(options)) {
    const [client, input] = [await session.here(), await hereInput(hosts, options)];
    return () => withBar(session, (onProgress) => client.call("doctor.here", input, { signal, onProgress }));
  }
  const input = await farmInput(hosts, options);
  const client = await session.farm().catch((error: unknown) => {
    throw withoutFarm(error);
  });
  return () =>
    withBar(session, (onProgress) => client.call("doctor", input, { signal, onProgress })).catch((error: unknown) => {
      // The farm's own process was looking: what it had seen is gone with the call.
      if (signal.aborted && options.watch === undefined) session.host.err.write("Broken off before the farm had an answer.\n");
      throw error;
    });
}

/** Runs a call that tells how far its looking has come. */
export async function withBar<T>(
  session: Session,
  run: (onProgress: (progress: RouteProgress<"doctor">) => void) => Promise<T>,
): Promise<T> {
  const bar = createProgressBar(session.host.err, "looking");
  try {
    return await run(({ phase, done, total }) => bar.update(done, total, clean(phase)));
  } finally {
    bar.end();
  }
}

/** The doctor needs no farm: say so. */
function withoutFarm(error: unknown): FarmError {
  const known = toFarmError(error);
  if (known.code !== "ADMIN_NOT_RUNNING") return known;
  const message = `${known.message}; to look without one, name servers with --nodes ADDRESS,… or files with --evidence FILE,…`;
  return new FarmError(known.code, message, { facts: known.facts, cause: error });
}

/** A report that `certfarm doctor --json` wrote. @throws INPUT_FILE_UNUSABLE */
async function readReport(path: string): Promise<DoctorReport> {
  const text = await readInputFile(path, MOST_REPORT);
  const parsed = ROUTES.doctor.output.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new FarmError(
    "INPUT_FILE_UNUSABLE",
    `${path} is no report of \`certfarm doctor --json\`: ${issue?.path.map(String).join(".") ?? ""} ${issue?.message ?? ""}`,
    { facts: { path } },
  );
}

/** Undefined for what is no JSON, which no schema takes. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function writeFiles(report: DoctorReport, { html, junit, prometheus }: DoctorOptions): Promise<void> {
  if (html !== undefined) await writeOutputFile(html, htmlReport(report));
  if (typeof junit === "string") await writeOutputFile(junit, junitReport(report));
  if (typeof prometheus === "string") await writeOutputFile(prometheus, prometheusReport(report));
}

interface Context {
  readonly options: DoctorOptions;
  readonly before: DoctorReport | undefined;
}

function printReport(session: Session, report: DoctorReport, { options, before }: Context): void {
  const changes = before === undefined ? undefined : compareReports(before, report);
  if (options.junit === true) return session.print(junitReport(report));
  if (options.prometheus === true) return session.print(prometheusReport(report));
  if (session.json) return session.printJson(changes === undefined ? report : { ...report, changes });
  session.print(renderReport(report, session, nextCommands(report, options)));
  if (changes !== undefined) session.print(`\n${renderSince(changes, session)}`);
}

/** Looks again and again, and tells what changed. A look that fails is told once for as long as it fails alike. */
async function watch(session: Session, options: DoctorOptions, look: Look): Promise<ExitCode> {
  let last: DoctorReport | undefined;
  let problem = "";
  const once = async (): Promise<void> => {
    try {
      const report = await look();
      await writeFiles(report, options);
      if (session.host.signal.aborted) return; // what a look that was broken off did not see has not changed
      tellRound(session, last, report);
      [last, problem] = [report, ""];
    } catch (error) {
      if (session.host.signal.aborted) return;
      const { message } = toFarmError(error);
      if (last === undefined) throw error;
      if (message !== problem) session.host.err.write(`${formatTime(Date.now())}  certfarm: ${clean(message)}\n`);
      problem = message;
    }
  };
  await repeat(session.host.signal, once, 1_000 * (options.watch === true || options.watch === undefined ? WATCH_S : options.watch));
  return last === undefined ? 2 : exitCodeOf(last);
}

function tellRound(session: Session, last: DoctorReport | undefined, report: DoctorReport): void {
  const line = (value: unknown): void => session.host.out.write(`${jsonText(value)}\n`);
  if (last === undefined) return session.json ? line({ report }) : session.print(renderReport(report, session));
  const changes = compareReports(last, report);
  if (isUnchanged(changes)) return;
  if (session.json) line({ changes });
  else session.print(renderChanges(changes, session, true));
}
