import { toFarmError } from "../base/index.ts";
import type { Gap, NodeEvidence, Source, TableEvidence } from "../doctor/index.ts";
import type { ApplicationHost } from "./application-host.ts";
import { present } from "./present.ts";
import { bindingsEvidence, readApplicationHost } from "./read-application-host.ts";
import { isNetshPrint, readNetsh } from "./read-netsh.ts";
import { readRedirection } from "./read-redirection.ts";
import type { UnreadLine } from "./unread.ts";

/** What a file or a part of one adds to what is known of a node, and what is missing instead. */
export interface EvidencePartReading {
  readonly evidence: Partial<NodeEvidence>;
  readonly gaps: readonly Gap[];
}

/** A text, or why there is none. */
export interface NamedText {
  readonly text?: string;
  readonly error?: string;
  readonly source: Source;
}

/** Joins parts; of the same field the first counts. */
export function joinParts(parts: readonly EvidencePartReading[]): EvidencePartReading {
  return {
    evidence: Object.assign({}, ...parts.map(({ evidence }) => evidence).toReversed()) as Partial<NodeEvidence>, // of such parts alone
    gaps: parts.flatMap(({ gaps }) => gaps),
  };
}

/** What one file came to, an error in it being a gap: other files of the node still speak. */
export function orGap(node: string, what: Gap["what"], read: () => EvidencePartReading): EvidencePartReading {
  try {
    return read();
  } catch (thrown) {
    return { evidence: {}, gaps: [{ node, what, why: toFarmError(thrown).message }] };
  }
}

/**
 * The table, from the print of `netsh` as text or as JSON. The one with more rows counts, the text when they have as many: its layout is
 * known from every version. A print that is no table (no right to ask, no such command) is a gap, never an empty table.
 */
export function tablePart(node: string, prints: readonly string[], source: Source): EvidencePartReading {
  const tables: TableEvidence[] = [];
  const gaps: Gap[] = [];
  for (const print of prints) {
    const table = readNetsh(print, source);
    if (isNetshPrint(table, print)) tables.push(table);
    else gaps.push({ node, what: "table", why: `${source}: not a table: ${JSON.stringify(table.unread[0]?.text ?? "")}` });
  }
  const best = tables.toSorted((a, b) => b.rows.length - a.rows.length)[0];
  if (best === undefined) return { evidence: {}, gaps };
  return { evidence: { table: best }, gaps: unreadGap(node, "table", best.unread, source) };
}

/** IIS's two configuration files. */
export interface ConfigurationFiles {
  readonly redirection?: NamedText;
  readonly applicationHost?: NamedText;
}

/**
 * The configuration and its bindings. A file that is not well-formed is the configuration's problem, as it is the server's.
 * `states`: which sites run, where that is known better than by their auto-start.
 */
export function configurationPart(
  node: string,
  files: ConfigurationFiles,
  states: ReadonlyMap<string, boolean> = new Map(),
): EvidencePartReading {
  const redirection = readNamed(node, files.redirection, readRedirection);
  const host = readNamed(node, files.applicationHost, readApplicationHost);
  const gaps = [...redirection.gaps, ...host.gaps, ...bindingGaps(node, files, host.value)];
  const problem = host.problem ?? redirection.problem;
  const source = (files.applicationHost ?? files.redirection)?.source ?? "";
  if (redirection.value === undefined && host.value === undefined && problem === undefined) return { evidence: {}, gaps };
  const configuration = {
    source,
    ...present({
      digest: host.value?.digest,
      legacyBindingData: host.value?.legacyBindingData,
      problem,
      redirection: redirection.value,
    }),
  };
  return { evidence: { configuration, ...present({ bindings: host.value && bindingsEvidence(host.value, states) }) }, gaps };
}

interface NamedReading<T> {
  readonly value?: T;
  readonly problem?: string;
  readonly gaps: readonly Gap[];
}

function readNamed<T>(node: string, file: NamedText | undefined, read: (text: string, source: Source) => T): NamedReading<T> {
  const gap = (why: string): readonly Gap[] => [{ node, what: "configuration", why }];
  const failed = file?.error === undefined ? [] : gap(`${file.source}: ${file.error}`);
  if (file?.text === undefined) return { gaps: failed };
  try {
    return { value: read(file.text, file.source), gaps: failed };
  } catch (thrown) {
    const error = toFarmError(thrown);
    return error.code === "IIS_CONFIG_MALFORMED" ? { problem: error.message, gaps: failed } : { gaps: [...failed, ...gap(error.message)] };
  }
}

/** Bindings that are missing, all or some. */
function bindingGaps(node: string, files: ConfigurationFiles, host: ApplicationHost | undefined): readonly Gap[] {
  if (files.applicationHost === undefined) return [];
  if (host === undefined) return [{ node, what: "bindings", why: `${files.applicationHost.source} could not be read` }];
  return unreadGap(node, "bindings", host.unread, host.source);
}

/** Lines of a text that are told in full; the others are counted. */
const MAX_TOLD = 3;

/** One gap for the lines that could not be read. */
function unreadGap(node: string, what: "table" | "bindings", unread: readonly UnreadLine[], source: Source): readonly Gap[] {
  if (unread.length === 0) return [];
  const told = unread.slice(0, MAX_TOLD).map(({ line, text }) => `line ${line}: ${JSON.stringify(text)}`);
  const others = unread.length > MAX_TOLD ? `, and ${unread.length - MAX_TOLD} more` : "";
  return [{ node, what, why: `${source}: could not be read: ${told.join(", ")}${others}` }];
}
