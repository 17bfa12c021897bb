import { basename } from "node:path";

import type { AdminClient, RouteOutput } from "../../admin/client.ts";
import { ERRORS, FarmError } from "../../base/index.ts";
import { readInputBytes, readInputFile, readOptionalBytes } from "../files.ts";
import type { ExitCode, Session } from "../session.ts";
import { clean, formatTime } from "../text.ts";

type Added = RouteOutput<"certificates.add">;

/** Options of `certs add`. */
export interface AddOptions {
  readonly passwordFile?: string;
  readonly host?: string;
}

const MAX_BYTES = 1 << 20;
const KEY_BESIDE = /\.(pem|crt|cer)$/i;

/** `certfarm certs add`: every file is tried; the exit code is that of the first that was refused. */
export async function addCertificates(session: Session, files: readonly string[], options: AddOptions): Promise<ExitCode> {
  const given = files.filter((file) => !/\.key$/i.test(file)); // each goes with its certificate
  if (given.length === 0)
    throw new FarmError("USAGE", "a .key file alone is no certificate: name the certificate, and put the key beside it");
  if (options.host !== undefined && given.length > 1) throw new FarmError("USAGE", "--host names one file's host: give one file");
  const client = await session.farm();
  const password = options.passwordFile === undefined ? undefined : firstLine(await readInputFile(options.passwordFile, MAX_BYTES));
  const answers: (Added | { readonly file: string; readonly problem: FarmError })[] = [];
  for (const file of given) answers.push(await addOne(client, file, { ...options, ...(password === undefined ? {} : { password }) }));
  const refused = answers.flatMap((answer) => ("problem" in answer ? [answer.problem] : []));
  if (session.json)
    session.printJson(answers.map((answer) => ("problem" in answer ? { file: answer.file, ...answer.problem.toJSON() } : answer)));
  else for (const answer of answers) tell(session, answer);
  const [first] = refused;
  return first === undefined ? 0 : ERRORS[first.code].exit;
}

async function addOne(
  client: AdminClient,
  path: string,
  { host, password }: { readonly host?: string; readonly password?: string },
): Promise<Added | { readonly file: string; readonly problem: FarmError }> {
  const bytes = await readInputBytes(path, MAX_BYTES);
  const key = KEY_BESIDE.test(path) ? await readOptionalBytes(`${path.slice(0, path.lastIndexOf("."))}.key`, MAX_BYTES) : undefined;
  try {
    return await client.call("certificates.add", {
      file: basename(path),
      bytes: bytes.toString("base64"),
      ...(key === undefined ? {} : { keyBytes: key.toString("base64") }),
      ...(password === undefined ? {} : { password }),
      ...(host === undefined ? {} : { host }),
    });
  } catch (error) {
    // One file's fault does not keep the others back; anything else does.
    if (error instanceof FarmError && error.code.startsWith("CERTIFICATES_")) return { file: path, problem: error };
    throw error;
  }
}

function tell(session: Session, answer: Added | { readonly file: string; readonly problem: FarmError }): void {
  const { paint, host } = session;
  if ("problem" in answer) {
    const { message, code, remedy } = answer.problem;
    host.err.write(`${paint("red", "✗")} ${clean(answer.file)}: ${clean(message)} (${code})\n  → ${clean(remedy)}\n`);
    return;
  }
  const { file, replaced, sealed, facts, others } = answer;
  session.print(`${paint("green", "✓")} ${clean(file)} ${replaced ? "replaced" : "added"}${sealed ? ", sealed" : ", as it is"}`);
  session.print(`    for ${facts.leaf.dnsNames.map(clean).join(", ")}, until ${formatTime(facts.leaf.notAfter)}`);
  if (others.length > 0)
    session.print(`    ${paint("yellow", "also there:")} ${others.map(clean).join(", ")}; the better certificate is served`);
}

const firstLine = (text: string): string => text.split(/\r?\n/, 1)[0] ?? "";

/** `certfarm certs remove`. */
export async function removeCertificates(session: Session, files: readonly string[]): Promise<ExitCode> {
  const client = await session.farm();
  const removed: string[] = [];
  for (const file of files) removed.push(...(await client.call("certificates.remove", { file })).removed);
  if (session.json) session.printJson({ removed });
  else for (const file of removed) session.print(`${session.paint("green", "✓")} ${clean(file)} removed`);
  return 0;
}
