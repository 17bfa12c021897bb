import type { ExitCode, Session } from "../session.ts";
import { clean, count } from "../text.ts";

/** `certfarm iis collect`: the script on standard output. */
export async function iisCollect(session: Session): Promise<ExitCode> {
  const { fileName, text } = await (await session.here()).call("iis.collect", {});
  if (session.json) session.printJson({ fileName, text });
  else session.print(text);
  if (!session.json && !session.host.out.isTerminal) {
    session.host.err.write(
      `Save it as ${clean(fileName)}; on each server, as administrator: powershell -ExecutionPolicy Bypass -File ${clean(fileName)}\n` +
        "Bring the files it writes here, then: certfarm doctor --evidence FILE,FILE…\n",
    );
  }
  return 0;
}

/** `certfarm iis import`: farm.yaml on standard output, what has no counterpart on standard error. */
export async function iisImport(session: Session, file: string, options: { readonly evidence?: readonly string[] }): Promise<ExitCode> {
  const client = await session.here();
  const { evidence } = options;
  const { yaml, notes } = await client.call("iis.import", { file, ...(evidence === undefined ? {} : { evidence: [...evidence] }) });
  if (session.json) session.printJson({ yaml, notes });
  else {
    session.print(session.host.out.isTerminal ? yaml.split("\n").map(clean).join("\n") : yaml);
    for (const { line, text } of notes) session.host.err.write(`${clean(file)}${line === undefined ? "" : `:${line}`}: ${clean(text)}\n`);
    if (notes.length > 0) session.host.err.write(`${count(notes.length, "thing has", "things have")} no counterpart: see above\n`);
  }
  return 0;
}
