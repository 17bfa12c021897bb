import { toFarmError } from "../base/index.ts";
import type { Gap, NodeEvidence } from "../doctor/index.ts";
import { decodeText, type DecodedText } from "./decode-text.ts";
import { EVIDENCE_FORMAT } from "./evidence-file.ts";
import { configurationPart, joinParts, orGap, tablePart, type EvidencePartReading, type NamedText } from "./evidence-part.ts";
import { MAX_SHOWN } from "./limits.ts";
import { present } from "./present.ts";
import { readEvidenceFile, type NodeReading } from "./read-evidence-file.ts";
import { readListing } from "./read-listing.ts";
import { isNetshJson } from "./read-netsh-json.ts";

/** A file of a server's folder. */
export interface LooseFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

type FileKind = "evidence" | "netsh" | "redirection" | "applicationHost" | "listing";

interface KnownFile extends DecodedText {
  readonly path: string;
  readonly kind: FileKind;
}

/**
 * What the files of one server say, each recognised by its content: a script's evidence file, `netsh http show sslcert`,
 * `applicationHost.config`, `redirection.config`, a `dir` of the share. Nothing is thrown: what cannot be read is a gap.
 * Of two files of a kind the first by path counts.
 */
export function evidenceFromFiles(name: string, files: readonly LooseFile[]): NodeReading {
  const gaps: Gap[] = [];
  const known = new Map<FileKind, KnownFile>();
  for (const file of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const found = recognise(file);
    const first = typeof found === "string" ? undefined : known.get(found.kind);
    if (typeof found === "string") gaps.push({ node: name, what: "files", why: found });
    else if (first === undefined) known.set(found.kind, found);
    else gaps.push({ node: name, what: "files", why: `${found.path} was left out: ${first.path} is of the same kind` });
  }
  const parts = joinParts([
    read(name, "files", known.get("evidence"), scriptPart),
    read(name, "table", known.get("netsh"), (node, { path, text }) => tablePart(node, [text], path)),
    configurationPart(
      name,
      present({ redirection: namedText(known.get("redirection")), applicationHost: namedText(known.get("applicationHost")) }),
    ),
    read(name, "central", known.get("listing"), listingPart),
  ]);
  const evidence: NodeEvidence = { source: name, ...parts.evidence, make: "iis" };
  return { name, evidence, gaps: [...gaps, ...parts.gaps, ...missing(name, evidence, parts.gaps)] };
}

function read(
  node: string,
  what: Gap["what"],
  file: KnownFile | undefined,
  reader: (node: string, file: KnownFile) => EvidencePartReading,
): EvidencePartReading {
  return file === undefined ? { evidence: {}, gaps: [] } : orGap(node, what, () => reader(node, file));
}

const namedText = (file: KnownFile | undefined): NamedText | undefined => file && { text: file.text, source: file.path };

/** A known file, or why it is none. */
function recognise({ path, bytes }: LooseFile): KnownFile | string {
  try {
    const decoded = decodeText(bytes, path);
    const kind = kindOf(decoded.text, path);
    return kind === undefined
      ? `${path} is nothing that is read here; it begins with ${beginning(decoded.text)}`
      : { path, kind, ...decoded };
  } catch (thrown) {
    return toFarmError(thrown).message;
  }
}

const beginning = (text: string): string => JSON.stringify(text.trimStart().slice(0, MAX_SHOWN));

/** Characters of a file by which it is recognised; the section groups of applicationHost.config are declared at its start. */
const SIGHT = 65_536;

const GUID = /\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-/i;

/** By content. Only a file without any, as a copy that was cut off may be, is taken by its name. */
function kindOf(text: string, path: string): FileKind | undefined {
  const sight = text.slice(0, SIGHT).trimStart();
  if (sight === "" || sight.startsWith("\u0000")) return kindOfEmpty(path);
  if (sight.startsWith("<")) return kindOfXml(sight);
  if (sight.startsWith("{") && sight.includes(`"${EVIDENCE_FORMAT}"`)) return "evidence";
  if (isNetshJson(sight)) return "netsh";
  if (readListing(sight, path).entries > 0) return "listing";
  return GUID.test(sight) || /(?:^|\n)\s{0,40}-{20,}\s{0,40}(?:\n|$)/.test(sight) ? "netsh" : undefined;
}

function kindOfEmpty(path: string): FileKind | undefined {
  if (/(?:^|[\\/])applicationHost\.config$/i.test(path)) return "applicationHost";
  return /(?:^|[\\/])redirection\.config$/i.test(path) ? "redirection" : undefined;
}

function kindOfXml(sight: string): FileKind | undefined {
  if (sight.includes("<configurationRedirection")) return "redirection";
  return sight.includes("system.applicationHost") ? "applicationHost" : undefined;
}

/** Under the folder's name, whatever the server calls itself. */
function scriptPart(node: string, { path, text }: KnownFile): EvidencePartReading {
  const { evidence, gaps } = readEvidenceFile(text, path);
  return { evidence, gaps: gaps.map((gap) => ({ ...gap, node })) };
}

function listingPart(node: string, { path, text, encoding }: KnownFile): EvidencePartReading {
  const { location, files } = readListing(text, path);
  const odd = encoding === "octets" && files.some(({ name }) => /[^ -~]/.test(name));
  const why = `${path}: names with letters outside ASCII are not certain, because its code page is not known; save it as UTF-8`;
  return {
    evidence: { central: { source: path, ...present({ location }), files } },
    gaps: odd ? [{ node, what: "central", why }] : [],
  };
}

const WANTED = [
  ["table", "no print of `netsh http show sslcert`"],
  ["configuration", "no applicationHost.config"],
  ["central", "no listing of the share, and no evidence file with the settings of the central store"],
] as const;

function missing(node: string, evidence: NodeEvidence, told: readonly Gap[]): readonly Gap[] {
  return WANTED.filter(([what]) => evidence[what] === undefined && !told.some((gap) => gap.what === what)).map(([what, why]) => ({
    node,
    what,
    why: `the files of ${node} have ${why}`,
  }));
}
