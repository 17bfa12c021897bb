import type { RouteOutput, RouteProgress } from "../../admin/client.ts";
import { createProgressBar } from "../progress-bar.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, count, formatTime, type Paint } from "../text.ts";

type Checked = RouteOutput<"certificates.check">["files"][number];
type Listed = NonNullable<RouteProgress<"certificates.list">["file"]>;

const DAY_MS = 86_400_000;
/** A table is printed in parts of this many rows, so that a large store needs little memory. */
const PART = 500;

/** `certfarm certs check`: 0 only if every file is usable. */
export async function checkFiles(
  session: Session,
  files: readonly string[],
  options: { readonly passwordFile?: string },
): Promise<ExitCode> {
  const client = await session.here();
  const { passwordFile } = options;
  const answer = await client.call(
    "certificates.check",
    { files: [...files], ...(passwordFile === undefined ? {} : { passwordFile }) },
    { signal: session.host.signal },
  );
  if (session.json) session.printJson(answer.files);
  else session.print(answer.files.map((file) => renderChecked(session, file)).join("\n"));
  return answer.files.every(({ status }) => status === "ok") ? 0 : 1;
}

function renderChecked({ paint }: Session, { file, status, facts, problem, remedy }: Checked): string {
  const good = status === "ok";
  const lines = [`${good ? paint("green", "✓") : paint("red", "✗")} ${paint("bold", clean(file))}  ${good ? "ok" : paint("red", status)}`];
  const add = (label: string, text: string): void => void lines.push(`    ${label.padEnd(12)}${text}`);
  if (problem !== undefined) add("problem", clean(problem));
  if (remedy !== undefined) add("remedy", clean(remedy));
  if (facts !== undefined) addFacts(add, facts, paint);
  return `${lines.join("\n")}\n`;
}

function addFacts(add: (label: string, text: string) => void, facts: NonNullable<Checked["facts"]>, paint: Paint): void {
  const { leaf } = facts;
  add("subject", clean(leaf.subject));
  add("names", [...leaf.dnsNames, ...leaf.ipAddresses].map(clean).join(", ") || "none");
  add("issuer", clean(leaf.issuer));
  add("valid", `${formatTime(leaf.notBefore)} to ${formatTime(leaf.notAfter)}`);
  add("key", `${clean(leaf.keyName)}, ${facts.keyMatches ? "matches" : paint("red", "does not match the certificate")}`);
  add("signature", clean(leaf.signatureAlgorithm));
  add("serial", leaf.serial);
  add("thumbprint", `${leaf.thumbprint} (SHA-1)`);
  add("", `${leaf.sha256} (SHA-256)`);
  add("chain", `${facts.chain.map(({ subject }) => clean(subject)).join(" ← ")} (${CHAIN_ENDS[facts.chainEnds]})`);
  if (facts.friendlyName !== undefined) add("friendly", clean(facts.friendlyName));
  add("protection", facts.protection.map(clean).join("; ") || "none");
  if (facts.unusedCertificates + facts.unusedKeys > 0) {
    add("unused", `${count(facts.unusedCertificates, "certificate")}, ${count(facts.unusedKeys, "key")}`);
  }
  if (facts.refusedBy.length > 0) add("refused by", facts.refusedBy.map(clean).join("; "));
  for (const warning of facts.warnings) add("warning", paint("yellow", clean(warning)));
}

const CHAIN_ENDS = { "to-root": "up to the root", "to-intermediate": "up to an intermediate", "leaf-only": "the leaf alone" } as const;

/** `certfarm certs list`: 1 when a file is unusable. With --json one array of files. */
export async function listFiles(session: Session, filter: string | undefined): Promise<ExitCode> {
  const client = await session.farm();
  const bar = createProgressBar(session.host.err, "reading certificates");
  const rows = createRowPrinter(session);
  try {
    const { files, usable } = await client.call("certificates.list", filter === undefined ? {} : { filter }, {
      signal: session.host.signal,
      onProgress: ({ done, total, file }) => {
        bar.update(done, total);
        if (file !== undefined) rows.add(file);
      },
    });
    bar.end();
    rows.end();
    if (!session.json)
      session.print(
        `${usable === files ? session.paint("green", "✓") : session.paint("red", "✗")} ${usable} of ${count(files, "file")} usable`,
      );
    return usable === files ? 0 : 1;
  } finally {
    bar.end();
  }
}

function createRowPrinter(session: Session): { add(file: Listed): void; end(): void } {
  let waiting: Listed[] = [];
  let printed = 0;
  const flush = (): void => {
    if (session.json)
      for (const [at, file] of waiting.entries()) session.host.out.write(`${printed + at === 0 ? "[\n" : ",\n"}${JSON.stringify(file)}`);
    else if (waiting.length > 0) session.print(renderListed(session, waiting));
    printed += waiting.length;
    waiting = [];
  };
  return {
    add(file) {
      waiting.push(file);
      if (waiting.length >= PART) flush();
    },
    end() {
      flush();
      if (session.json) session.host.out.write(printed === 0 ? "[]\n" : "\n]\n");
    },
  };
}

function renderListed(session: Session, files: readonly Listed[]): string {
  const rows = files.map((file) => {
    const { status, facts, problem } = file.reading;
    const names = facts?.leaf.dnsNames.map(clean).join(" ") ?? "";
    return [
      statusText(session, status),
      clean(file.file),
      daysLeft(session, facts?.leaf.notAfter),
      names,
      clean(facts?.leaf.issuer ?? ""),
      [problem, shadowText(file), ...file.warnings].flatMap((note) => (note === undefined ? [] : [clean(note)])).join("; "),
    ];
  });
  return formatTable(["STATUS", "FILE", "DAYS", "NAMES", "ISSUER", "NOTES"], rows, session);
}

const statusText = ({ paint }: Session, status: string): string => (status === "ok" ? paint("green", "✓ ok") : paint("red", `✗ ${status}`));

function daysLeft({ paint }: Session, notAfter: number | undefined): string {
  if (notAfter === undefined) return "";
  const days = Math.floor((notAfter - Date.now()) / DAY_MS);
  return paint(days < 0 ? "red" : days < 21 ? "yellow" : "green", String(days));
}

const shadowText = ({ shadowedBy }: Listed): string | undefined =>
  shadowedBy === undefined ? undefined : `not served: ${shadowedBy.file} wins, ${shadowedBy.because}`;
