import { toUnicodeHost, wildcardOf, type HostName } from "../base/index.ts";
import type { CentralEvidence, CentralFile, EvidenceRowKey } from "../doctor/index.ts";
import { dayOf } from "./day.ts";
import { keyText, type IisOutcome, type IisWalk } from "./explanation.ts";

/** What becomes of a name under a central row; undefined = a miss, the rows after it are tried. */
export function lookIntoStore(walk: IisWalk, row: EvidenceRowKey, host: HostName): IisOutcome | undefined {
  const { trail, evidence } = walk;
  const names = fileNames(host);
  trail.push({ look: "central row", outcome: "matched", because: `${keyText(row)}: the file is chosen by the name ${host}` });
  if (row.kind === "scoped-central")
    walk.assumed.push("A central row for one name answers before the central row of the port: no source says so.");
  const { central } = evidence;
  const off = central === undefined ? undefined : storeProblem(central);
  if (off !== undefined) {
    trail.push({ look: "central store", outcome: "unusable", because: off });
    return undefined;
  }
  if (central?.files === undefined) {
    return { kind: "unknown", because: `the share was not listed: ${names.map(({ name }) => name).join(" or ")} would be served` };
  }
  for (const { look, name, ascii } of names) {
    const outcome = lookAtFile(walk, { look, name, ascii, row, files: central.files });
    if (outcome !== undefined) return outcome;
  }
  if (names.length === 1)
    trail.push({ look: "wildcard file", outcome: "absent", because: `${host} has one label, so no wildcard stands for it` });
  return undefined;
}

interface FileName {
  readonly look: "exact file" | "wildcard file";
  /** The Unicode form: the one that IIS looks for. */
  readonly name: string;
  readonly ascii: string;
}

/** The names that IIS tries, in order: the wildcard replaces one label. */
function fileNames(host: HostName): readonly FileName[] {
  const wildcard = wildcardOf(host);
  const exact = { look: "exact file" as const, name: `${toUnicodeHost(host)}.pfx`, ascii: `${host}.pfx` };
  if (wildcard === undefined) return [exact];
  return [exact, { look: "wildcard file", name: `_${toUnicodeHost(wildcard).slice(1)}.pfx`, ascii: `_${wildcard.slice(1)}.pfx` }];
}

/** Why the store gives no certificates at all. */
function storeProblem({ installed, enabled, access, user, location }: CentralEvidence): string | undefined {
  if (installed === false) return "the feature Web-CertProvider is not installed";
  if (enabled === false) return "the central store is turned off on this server";
  if (access?.kind !== "failed") return undefined;
  return `${location ?? "the share"} cannot be read as ${user ?? "the server's own account"} (${access.cause}: ${access.message}); only certificates loaded before are still served`;
}

interface FileQuestion extends FileName {
  readonly row: EvidenceRowKey;
  readonly files: readonly CentralFile[];
}

function lookAtFile(walk: IisWalk, { look, name, ascii, row, files }: FileQuestion): IisOutcome | undefined {
  const { trail, assumed } = walk;
  const file = files.find((one) => one.name.toLowerCase() === name.toLowerCase()); // as Windows compares names
  if (file === undefined) {
    const other = alike(files, name, ascii);
    const because =
      other === undefined ? `no file is named ${name}` : `${other.name} is written in another form than ${name}, for which IIS looks`;
    trail.push({ look, outcome: other === undefined ? "absent" : "passed-over", because });
    return undefined;
  }
  const problem = fileProblem(file);
  if (problem !== undefined) {
    trail.push({ look, outcome: "unusable", because: `${file.name}: ${problem}` });
    assumed.push("A file that cannot be opened counts as one that is not there.");
    return undefined;
  }
  const leaf = file.reading?.facts?.leaf;
  trail.push({
    look,
    outcome: "chosen",
    because: leaf === undefined ? file.name : `${file.name}: thumbprint ${leaf.thumbprint}, valid until ${dayOf(leaf.notAfter)}`,
  });
  return { kind: "serve", row, file: file.name, ...(leaf === undefined ? {} : { thumbprint: leaf.thumbprint }) };
}

/** A file that a person would take for it: the name in A-labels, or letters and their marks apart. */
function alike(files: readonly CentralFile[], name: string, ascii: string): CentralFile | undefined {
  return files.find((file) => file.name.toLowerCase() === ascii || file.name.normalize("NFC").toLowerCase() === name.toLowerCase());
}

const SERVABLE: readonly string[] = ["ok", "expired", "not-yet-valid"];

function fileProblem({ access, reading }: CentralFile): string | undefined {
  if (access === "denied") return "the account of the central store is not allowed to read it";
  if (access === "failed") return "it could not be opened as the account of the central store";
  return reading === undefined || SERVABLE.includes(reading.status)
    ? undefined
    : `${reading.status}${reading.problem === undefined ? "" : `: ${reading.problem}`}`;
}
