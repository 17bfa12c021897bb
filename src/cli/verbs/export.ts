import type { RouteInput } from "../../admin/client.ts";
import { readInputFile, writeOutputFile } from "../files.ts";
import type { ExitCode, Session } from "../session.ts";
import { clean } from "../text.ts";

type Product = RouteInput<"config.export">["product"];

const MAX_YAML_BYTES = 4 * 1024 * 1024;

/** `certfarm export PRODUCT`: of a file, else of the farm's latest revision. */
export async function exportBalancer(
  session: Session,
  product: Product,
  options: { readonly file?: string; readonly out?: string },
): Promise<ExitCode> {
  const { name, yaml } = await source(session, options.file);
  const { text } = await (await session.here()).call("config.export", { product, yaml, name });
  if (options.out !== undefined) await writeOutputFile(options.out, text);
  if (session.json) session.printJson(options.out === undefined ? { text } : { file: options.out });
  else if (options.out === undefined) session.print(text);
  else session.print(`${session.symbols.good} ${clean(options.out)} is written; its comments say what to fill in`);
  return 0;
}

async function source(session: Session, file: string | undefined): Promise<{ readonly name: string; readonly yaml: string }> {
  if (file !== undefined) return { name: file, yaml: await readInputFile(file, MAX_YAML_BYTES) };
  const { number, yaml } = await (await session.farm()).call("config.show", {});
  return { name: `revision ${number}`, yaml };
}
