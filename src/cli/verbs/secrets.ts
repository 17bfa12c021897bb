import type { RouteOutput } from "../../admin/client.ts";
import { readInputBytes, readInputFile } from "../files.ts";
import { createProgressBar } from "../progress-bar.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, count, formatTime } from "../text.ts";

/** Options of `secrets rotate`. */
export interface RotateOptions {
  readonly farmKeyFile?: string;
  readonly dropFormerKey?: boolean;
  readonly force?: boolean;
  readonly sealFiles?: boolean;
}

type Status = RouteOutput<"secrets.status">;

const MAX_KEY_BYTES = 256;
const MAX_PASSWORD_BYTES = 4_096;

/** `certfarm secrets new-key`. */
export async function newFarmKey(session: Session, file: string): Promise<ExitCode> {
  const client = await session.here();
  const { id } = await client.call("secrets.newKey", { file });
  if (session.json) session.printJson({ file, id });
  else {
    session.print(`${session.paint("green", "✓")} ${clean(file)} holds a new farm key, ${id}`);
    session.print("    Keep a copy of it apart from the store's backups: without it nothing that is sealed can be opened.");
  }
  return 0;
}

/** `certfarm secrets status`: 1 when something has to be done. */
export async function secretsStatus(session: Session): Promise<ExitCode> {
  const client = await session.farm();
  const status = await client.call("secrets.status", {});
  const todo = whatToDo(status);
  if (session.json) session.printJson({ ...status, todo });
  else {
    session.print(renderStatus(session, status));
    for (const line of todo) session.print(`${session.paint("yellow", "!")} ${clean(line)}`);
  }
  return todo.length === 0 ? 0 : 1;
}

function renderStatus(session: Session, status: Status): string {
  const lines = [status.sealed ? "Secrets are sealed in the store." : "Nothing was ever sealed in this store."];
  const own = status.farmKey ?? (status.problem === undefined ? "none" : `unusable: ${status.problem}`);
  lines.push(`Admin API: farm key ${clean(own)}${status.source === undefined ? "" : ` from ${clean(status.source)}`}`);
  for (const { id, addedAt } of status.farmKeys) lines.push(`Farm key ${id}, since ${formatTime(addedAt)}`);
  for (const [at, { generation, madeAt }] of status.dataKeys.entries())
    lines.push(`Data key ${generation}, made ${formatTime(madeAt)}${at === status.dataKeys.length - 1 ? "" : ", to be dropped"}`);
  if (status.holders.length === 0) return lines.join("\n");
  const rows = status.holders.map(({ name, farmKey, at }) => [clean(name), farmKey, formatTime(at)]);
  return `${lines.join("\n")}\n${formatTable(["NODE", "FARM KEY", "TOLD"], rows, session)}`;
}

/** What an operator has to do, if anything. */
function whatToDo({ sealed, farmKey, problem, farmKeys, dataKeys, holders }: Status): readonly string[] {
  const newest = farmKeys.at(-1)?.id;
  const others = holders.filter((holder) => newest !== undefined && holder.farmKey !== newest).map(({ name }) => name);
  const names = others.join(", ");
  const isChanging = farmKeys.length > 1;
  const todo: readonly (readonly [boolean, string])[] = [
    [problem !== undefined, `the admin API cannot use its farm key: ${problem ?? ""}`],
    [sealed && (farmKey ?? problem) === undefined, "the admin API has no farm key: certificates cannot be added or listed"],
    [dataKeys.length > 1, "a rotation is not finished: `certfarm secrets rotate` goes on with it"],
    [isChanging && names !== "", `the farm key is being changed; the former one is all that ${names} told of`],
    [isChanging && names === "", "every node told of the new farm key: `certfarm secrets rotate --drop-former-key`"],
    [!isChanging && names !== "", `${names} told of another farm key than the farm's`],
  ];
  return todo.flatMap(([isSo, text]) => (isSo ? [text] : []));
}

/** `certfarm secrets rotate`: 1 when something is left to do. */
export async function rotateSecrets(session: Session, options: RotateOptions): Promise<ExitCode> {
  if (options.farmKeyFile !== undefined || options.dropFormerKey === true) return changeFarmKey(session, options);
  const client = await session.farm();
  const bar = createProgressBar(session.host.err, "sealing anew");
  const outcome = await client
    .call("secrets.rotate", options.sealFiles === true ? { sealFiles: true } : {}, {
      onProgress: ({ done, total }) => bar.update(done, total),
    })
    .finally(() => bar.end());
  const isWell = outcome.finished && outcome.unreadable.length === 0;
  if (session.json) session.printJson(outcome);
  else session.print(renderRotation(session, outcome));
  return isWell ? 0 : 1;
}

function renderRotation({ paint }: Session, outcome: RouteOutput<"secrets.rotate">): string {
  const { generation, resealed, plain, removed, unreadable, dropped, finished } = outcome;
  const lines = [
    `${finished ? paint("green", "✓") : paint("yellow", "!")} data key ${generation}: ${count(resealed, "value")} sealed anew`,
  ];
  if (dropped.length > 0) lines.push(`    dropped: data key ${dropped.join(", ")}`);
  if (removed.length > 0) lines.push(`    removed, because they were in the clear: ${removed.map(clean).join(", ")}`);
  if (plain > 0) lines.push(`    left in the clear: ${count(plain, "certificate file")} (--seal-files seals them too)`);
  for (const { problem } of unreadable) lines.push(`${paint("red", "✗")} ${clean(problem)}`);
  if (unreadable.length > 0) lines.push("    Former data keys are kept until these are put in again or removed; then run it again.");
  if (!finished) lines.push("    Others went on writing under the former data key: run it again.");
  return lines.join("\n");
}

async function changeFarmKey(session: Session, { farmKeyFile, force }: RotateOptions): Promise<ExitCode> {
  const client = await session.farm();
  const change =
    farmKeyFile === undefined
      ? await client.call("secrets.endFarmKeyChange", force === true ? { force: "true" } : {})
      : await client.call("secrets.beginFarmKeyChange", { key: await readKey(farmKeyFile) });
  if (session.json) session.printJson(change);
  else session.print(renderChange(session, change));
  return 0;
}

function renderChange({ paint }: Session, { farmKeys, waiting }: RouteOutput<"secrets.endFarmKeyChange">): string {
  const newest = farmKeys.at(-1) ?? "";
  if (farmKeys.length === 1) return `${paint("green", "✓")} the farm's data keys open with the farm key ${newest} alone`;
  const lines = [`${paint("green", "✓")} the farm's data keys open with ${farmKeys.join(" and ")}`];
  lines.push(
    `    Give every node and the admin API the farm key ${newest}: replace the file each of them was given; nothing has to be restarted.`,
  );
  if (waiting.length > 0) lines.push(`    Still with the former one: ${waiting.map(clean).join(", ")}`);
  lines.push("    Then: certfarm secrets rotate --drop-former-key");
  return lines.join("\n");
}

/** Raw keys and those in base64 travel alike. */
async function readKey(file: string): Promise<string> {
  const bytes = await readInputBytes(file, MAX_KEY_BYTES);
  return bytes.byteLength === 32 ? bytes.toString("base64") : bytes.toString("latin1").trim();
}

/** `certfarm secrets password add`. */
export async function addPassword(
  session: Session,
  options: { readonly passwordFile: string; readonly files?: string },
): Promise<ExitCode> {
  const password = (await readInputFile(options.passwordFile, MAX_PASSWORD_BYTES)).split(/\r?\n/, 1)[0] ?? "";
  const client = await session.farm();
  const files = options.files === undefined ? {} : { files: options.files };
  const added = await client.call("secrets.addPassword", { password, by: session.host.user, ...files });
  if (session.json) session.printJson(added);
  else session.print(`${session.paint("green", "✓")} password ${added.id} is kept for ${clean(added.files ?? "every file")}`);
  return 0;
}

/** `certfarm secrets password list`: never the passwords. */
export async function listPasswords(session: Session): Promise<ExitCode> {
  const client = await session.farm();
  const { passwords } = await client.call("secrets.passwords", {});
  if (session.json) session.printJson(passwords);
  else if (passwords.length === 0) session.print("The farm keeps no passwords.");
  else {
    const rows = passwords.map(({ id, files, by, at }) => [id, clean(files ?? "every file"), clean(by), formatTime(at)]);
    session.print(formatTable(["ID", "FILES", "BY", "SINCE"], rows, session));
  }
  return 0;
}

/** `certfarm secrets password remove`. */
export async function removePassword(session: Session, id: string): Promise<ExitCode> {
  const client = await session.farm();
  const removed = await client.call("secrets.removePassword", { id });
  if (session.json) session.printJson(removed);
  else session.print(`${session.paint("green", "✓")} password ${clean(id)} is forgotten`);
  return 0;
}
