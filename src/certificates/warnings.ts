import { patternCovers, toUnicodeHost, type HostName, type HostPattern, type Instant } from "../base/index.ts";
import { suggestedFileName, type CertificateFileName, type FileReading } from "../pki/index.ts";

/** What a warning is judged by. */
export interface Judged {
  readonly name: CertificateFileName;
  readonly reading: FileReading;
  /** Whether a `.key` of the same name is there. */
  readonly hasKeyFile: boolean;
  readonly now: Instant;
}

const DAY_MS = 86_400_000;
const SOON_DAYS = 30;
const MAX_NAMES_SHOWN = 5;

/** What is worth saying of a file although it may serve: each one sentence. */
export function warningsOf(judged: Judged): readonly string[] {
  const { name, reading } = judged;
  const found = [misnamed(judged), mismatch(judged), ...spelling(name), loneCertificate(judged), endsSoon(judged)];
  return [...found.filter((text) => text !== undefined), ...(reading.facts?.warnings ?? [])];
}

function misnamed({ name }: Judged): string | undefined {
  return name.problem === undefined ? undefined : `its name serves nobody: ${name.problem}. ${name.remedy ?? ""}`.trim();
}

/** The name is a promise that nobody checks before a client does. */
function mismatch({ name, reading }: Judged): string | undefined {
  const names = reading.facts?.leaf.dnsNames;
  if (names === undefined || name.pattern === undefined || names.some((other) => covers(other, name.pattern))) return undefined;
  const shown =
    names.slice(0, MAX_NAMES_SHOWN).join(", ") + (names.length > MAX_NAMES_SHOWN ? ` and ${names.length - MAX_NAMES_SHOWN} more` : "");
  return `its name promises ${name.pattern}, which its certificate does not name (it names ${shown === "" ? "no host" : shown}): clients will refuse it`;
}

function covers(other: HostPattern, promised: HostPattern | undefined): boolean {
  if (promised === undefined || promised.startsWith("*.")) return other === promised;
  return patternCovers(other, promised as unknown as HostName); // without a wildcard a pattern is a host
}

/** Spellings that certfarm takes and other readers of the same folder do not. */
function spelling({ file, pattern }: CertificateFileName): readonly (string | undefined)[] {
  const isIdn = pattern?.includes("xn--") === true;
  const extension = file.slice(file.lastIndexOf(".") + 1);
  const unicode = pattern === undefined ? "" : suggestedFileName(pattern, extension);
  return [
    /\.p12$/i.test(file) ? "IIS does not see .p12 files: name it .pfx when IIS reads the same folder" : undefined,
    isIdn && /xn--/i.test(file)
      ? `IIS looks for ${pattern === undefined ? "" : toUnicodeHost(pattern)} under its Unicode name ${unicode}`
      : undefined,
    file === file.normalize("NFC")
      ? undefined
      : "its name is in decomposed Unicode (NFD), which other systems may not find: write it composed (NFC)",
  ];
}

function loneCertificate({ name, reading, hasKeyFile }: Judged): string | undefined {
  if (reading.status !== "no-key" || hasKeyFile || name.format === "pfx" || name.format === "p12") return undefined;
  return `there is no ${name.file.slice(0, name.file.lastIndexOf("."))}.key beside it`;
}

function endsSoon({ reading, now }: Judged): string | undefined {
  const notAfter = reading.facts?.leaf.notAfter;
  if (reading.status !== "ok" || notAfter === undefined || notAfter - now > SOON_DAYS * DAY_MS) return undefined;
  const days = Math.floor((notAfter - now) / DAY_MS);
  return `it expires in ${days} ${days === 1 ? "day" : "days"}`;
}
