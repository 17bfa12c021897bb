import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

import type { RouteOutput } from "../../admin/client.ts";
import { FarmError, systemCode } from "../../base/index.ts";
import { writeNewFile } from "../files.ts";
import type { ExitCode, Session } from "../session.ts";
import { clean, count } from "../text.ts";
import { withBar } from "./doctor.ts";
import { hereInput, type LookOptions } from "./look.ts";

type Script = RouteOutput<"repair.script">["scripts"][number];

/** `certfarm repair --evidence … --script DIR`: writes one script a server and changes nothing else. 1 when something can be mended, by scripts or by hand. */
export async function repairScript(
  session: Session,
  findings: readonly string[],
  options: LookOptions & { readonly script: string },
): Promise<ExitCode> {
  const client = await session.here();
  const input = { ...(await hereInput([], options)), ...(findings.length === 0 ? {} : { findings: [...findings] }) };
  const { scripts, manual } = await withBar(session, (onProgress) => client.call("repair.script", input, { onProgress }));
  const written = await writeScripts(options.script, scripts);
  if (session.json) session.printJson({ scripts: written.map(({ node, path, isNew }) => ({ node, path, new: isNew })), manual });
  else session.print(render(session, written, manual));
  return scripts.length + manual.length === 0 ? 0 : 1;
}

interface Written {
  readonly node: string;
  readonly path: string;
  /** False: a file of the same text was there. */
  readonly isNew: boolean;
}

/** Writes all or, when one of them would replace another text, none. @throws OUTPUT_FILE_EXISTS, OUTPUT_FILE_UNWRITABLE */
async function writeScripts(folder: string, scripts: readonly Script[]): Promise<readonly Written[]> {
  if (scripts.length === 0) return [];
  const placed = scripts.map(({ node, fileName, text }) => ({ node, text, path: join(folder, basename(fileName)) }));
  const there = await Promise.all(placed.map(({ path }) => textOf(path)));
  const other = placed.find(({ text }, at) => there[at] !== undefined && there[at] !== text);
  if (other !== undefined)
    throw new FarmError("OUTPUT_FILE_EXISTS", `${other.path} is there already and differs; nothing was written`, {
      facts: { path: other.path },
    });
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new FarmError("OUTPUT_FILE_UNWRITABLE", `${folder} cannot be made: ${systemCode(error) ?? String(error)}`, { cause: error });
  });
  for (const [at, { path, text }] of placed.entries()) if (there[at] === undefined) await writeNewFile(path, text);
  return placed.map(({ node, path }, at) => ({ node, path, isNew: there[at] === undefined }));
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return undefined;
    throw new FarmError("OUTPUT_FILE_UNWRITABLE", `${path} is in the way: ${systemCode(error) ?? String(error)}`, { cause: error });
  }
}

function render({ paint, symbols }: Session, written: readonly Written[], manual: RouteOutput<"repair.script">["manual"]): string {
  const lines = written.map(
    ({ node, path, isNew }) => `${paint("green", symbols.good)} ${clean(node)}  ${clean(path)}${isNew ? "" : " (was there, unchanged)"}`,
  );
  const byHand = manual.map(
    ({ finding, node, text }) =>
      `${paint("yellow", symbols.warn)} ${node === undefined ? "" : `${clean(node)}: `}${clean(text)} (${clean(finding)})`,
  );
  const head =
    written.length === 0
      ? ["There is nothing that a script could mend."]
      : [`${count(written.length, "script")}; look at each before it is run:`];
  const next =
    written.length === 0
      ? []
      : [
          `${symbols.next} on each server, as administrator: powershell -ExecutionPolicy Bypass -File NAME.ps1 -WhatIf`,
          `${symbols.next} then without -WhatIf; collect new evidence, and look what changed: certfarm doctor --evidence NEW --since OLD.json`,
        ];
  return symbols.fit([...head, ...lines, ...(byHand.length === 0 ? [] : ["", "By hand:", ...byHand]), "", ...next].join("\n"));
}
