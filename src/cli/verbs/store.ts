import { stat } from "node:fs/promises";
import { resolve } from "node:path";

import { FarmError } from "../../base/index.ts";
import { readStoreSettings, STORE_OPTIONS, type StoreSettings } from "../../store/store-options.ts";
import type { CopyReport, CopyStep, StoreCheck } from "../host.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, count, formatTime } from "../text.ts";

type Options = Readonly<Record<string, unknown>>;

/** `certfarm store check`: 0 when all is well, 1 when something is slow or wrong. */
export async function checkPlace(session: Session, place: unknown, options: Options): Promise<ExitCode> {
  const check = await (await session.host.store()).check(placeOf(session, place, options));
  if (session.json)
    session.printJson({
      ...check,
      steps: check.steps.map(({ error, ...step }) => ({ ...step, ...(error === undefined ? {} : { error: error.toJSON() }) })),
    });
  else session.print(renderCheck(session, check));
  return check.outcome === "ok" ? 0 : 1;
}

function placeOf({ host }: Session, place: unknown, options: Options): StoreSettings {
  const given = typeof place === "string" ? { ...options, store: place } : options;
  const settings = readStoreSettings(given, host.environment);
  if (settings === undefined) throw new FarmError("USAGE", "a place is needed: a directory, or etcds://USER@HOST:PORT,HOST:PORT/PREFIX");
  return settings;
}

function renderCheck(session: Session, check: StoreCheck): string {
  const { paint } = session;
  const sign = (outcome: string): string => {
    if (outcome === "ok") return paint("green", "✓ ok");
    return outcome === "wrong" ? paint("red", "✗ wrong") : paint("yellow", `! ${outcome}`);
  };
  const steps = check.steps.map(({ name, outcome, ms, note }) => [sign(outcome), name, `${ms.toFixed(1)} ms`, clean(note ?? "")]);
  const facts = check.facts.map(({ name, outcome, text }) => [sign(outcome), clean(name), clean(text)]);
  const remedies = check.steps.flatMap(({ error }) => (error === undefined ? [] : [`  → ${error.remedy}`]));
  return [
    `${paint("bold", clean(check.place))}, blobs in ${clean(check.blobs)}\n`,
    formatTable(["", "STEP", "TIME", "NOTE"], steps, session),
    formatTable(["", "WHAT", "FOUND"], facts, session),
    {
      ok: paint("green", "✓ a farm can live here"),
      slow: paint("yellow", "! it works, but slowly"),
      wrong: paint("red", "✗ something is wrong"),
    }[check.outcome],
    ...new Set(remedies),
  ].join("\n");
}

/** `certfarm store copy`: 1 when something differs or was left out. */
export async function copyPlaces(
  session: Session,
  places: { readonly from: string; readonly to: string },
  options: Options,
): Promise<ExitCode> {
  const { host } = session;
  const follow = options["follow"] === true;
  const say = (text: string): void => host.err.write(`${text}\n`);
  const onStep = (step: CopyStep): void => tellStep(step, { say, follow });
  const [from, to] = [sideOf("from", places.from, options), sideOf("to", places.to, options)];
  const report = await (await host.store()).copy({ from, to, follow, until: host.signal, onStep });
  if (session.json) session.printJson(report);
  else session.print(renderCopy(session, report, to));
  return report.verification.differing.length + report.left.length + report.taken.length === 0 ? 0 : 1;
}

/** The options of one side, without the environment, which speaks of one store alone. */
function sideOf(side: "from" | "to", place: string, options: Options): StoreSettings {
  const given: Record<string, unknown> = { store: place };
  for (const { flag } of STORE_OPTIONS) {
    const told = options[`${side}-${flag}`.replaceAll(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase())];
    if (flag !== "store" && told !== undefined) given[flag] = told;
  }
  const settings = readStoreSettings(given, {});
  if (settings === undefined) throw new FarmError("USAGE", `${side.toUpperCase()} is empty`);
  return settings;
}

function tellStep(step: CopyStep, { say, follow }: { readonly say: (text: string) => void; readonly follow: boolean }): void {
  if (step.step === "folder") say(`copying ${step.folder}/`);
  else if (step.step === "verify") say("comparing every key, file and blob");
  else if (step.step !== "level") say(`copying ${step.step}`);
  else if (step.verification.differing.length > 0) say(`${step.verification.differing.length} names differ still`);
  else say(follow ? "level; changes are followed until Ctrl-C. Switch the processes over now, one after the other." : "level");
}

const MAX_NAMES = 20;

function named(title: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length > MAX_NAMES ? [`    … and ${names.length - MAX_NAMES} more`] : [];
  return [title, ...names.slice(0, MAX_NAMES).map((name) => `    ${clean(name)}`), ...more];
}

function renderCopy({ paint }: Session, report: CopyReport, to: StoreSettings): string {
  const { keys, folders, blobs, verification, taken, left } = report;
  const isLevel = verification.differing.length === 0;
  const lines = [
    `farm ${report.farm}`,
    `  keys: ${keys.written} written, ${keys.removed} removed`,
    ...Object.entries(folders).map(([name, { written, removed }]) => `  ${name}/: ${written} written, ${removed} removed`),
    blobs.isShared
      ? "  blobs: both stores have the same place for them"
      : `  blobs: ${blobs.written} written (${(blobs.bytes / 1e6).toFixed(1)} MB)`,
    `  compared by SHA-256: ${count(verification.keys, "key")}, ${count(verification.files, "file")}, ${count(verification.blobs, "blob")}`,
    ...named(paint("red", "differing:"), verification.differing),
    ...named(paint("yellow", "changed there by others meanwhile, and left as they are there:"), taken),
    ...named(
      paint("yellow", "left out (secrets go into etcd sealed only: `certfarm secrets rotate --seal-files`; files over 128 MiB):"),
      left.map(({ name }) => name),
    ),
    isLevel ? paint("green", "✓ both are the same") : paint("red", "✗ both are not the same; run it again"),
  ];
  if (!isLevel) return lines.join("\n");
  const blobsOption = to.blobs === undefined ? "" : ` --blobs ${to.blobs}`;
  return [
    ...lines,
    "",
    "To switch over: run this copy again with --follow; then give each process its new store and restart it, the nodes one after the other",
    `(--store ${to.place}${blobsOption}, or CERTFARM_STORE), then balancers, then the admin API; make no changes meanwhile. When`,
    "`certfarm status` shows all of them, end the copy with Ctrl-C and keep the old store until you trust the new one.",
  ].join("\n");
}

/** `certfarm store backup`. */
export async function backupPlace(
  session: Session,
  given: { readonly place: string; readonly file: string },
  options: Options,
): Promise<ExitCode> {
  const file = resolve(given.file);
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (isThere && options["overwrite"] !== true)
    throw new FarmError("OUTPUT_FILE_EXISTS", `${file} exists; --overwrite replaces it`, { facts: { file } });
  const report = await (await session.host.store()).backup(placeOf(session, given.place, options), file);
  if (session.json) session.printJson(report);
  else
    session.print(
      `farm ${report.farm}\n${file}: ${count(report.keys, "key")}, ${count(report.files, "file")}, ${count(report.blobs, "blob")}, ` +
        `${(report.bytes / 1e6).toFixed(1)} MB in ${(report.ms / 1000).toFixed(1)} s\nWhat is sealed needs the farm key, which is not in it: keep both, apart from each other.`,
    );
  return 0;
}

/** `certfarm store restore`: 1 when secrets in the clear were left out. */
export async function restorePlace(
  session: Session,
  given: { readonly place: string; readonly file: string },
  options: Options,
): Promise<ExitCode> {
  const verbs = await session.host.store();
  const file = resolve(given.file);
  const facts = await verbs.verifyBackup(file);
  const what = `${count(facts.keys, "key")}, ${count(facts.files, "file")}, ${count(facts.blobs, "blob")} of farm ${facts.farm}, made ${formatTime(facts.madeAt)} of ${clean(facts.from)}`;
  if (options["dryRun"] === true) {
    if (session.json) session.printJson(facts);
    else session.print(`${session.paint("green", "✓")} ${file} is whole: ${what}`);
    return 0;
  }
  const report = await verbs.restore(facts, file, { to: placeOf(session, given.place, options), overwrite: options["overwrite"] === true });
  if (session.json) session.printJson(report);
  else {
    const { keys, files, blobs, skipped, left } = report;
    session.print(
      [
        `${session.paint("green", "✓")} ${file} is whole: ${what}`,
        `  keys: ${keys.written} written, ${keys.same} the same, ${keys.removed} removed`,
        `  files: ${files.written} written, ${files.same} the same, ${files.removed} removed`,
        `  blobs: ${blobs.written} written, ${blobs.same} there already`,
        ...(skipped === 0
          ? []
          : [
              `  ${count(skipped, "file")} of content/ left out: the place has no such folder; publish sites with \`certfarm content push\``,
            ]),
        ...(left.count === 0
          ? []
          : [
              session.paint(
                "yellow",
                `  ${count(left.count, "secret")} in the clear left out, the first ${clean(left.first ?? "")}: etcd takes them sealed only`,
              ),
            ]),
      ].join("\n"),
    );
  }
  return report.left.count === 0 ? 0 : 1;
}
