import { instant, toFarmError } from "../../base/index.ts";
import { listCertificates } from "../../certificates/index.ts";
import type { CentralEvidence, CentralFile, Gap } from "../../doctor/index.ts";
import type { EvidenceAnswer } from "../../node/index.ts";
import type { CertificateFacts, FileReading } from "../../pki/index.ts";
import type { OperationsParts } from "../parts.ts";

/** The farm's central certificates as the doctor reads them. */
export interface CentralSight {
  readonly source: string;
  /** undefined = the listing is not whole: a file that is not in it may be there all the same. */
  readonly files: readonly CentralFile[] | undefined;
  readonly gaps: readonly Gap[];
}

/** Who follows the reading and ends it. */
export interface SightControl {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: { readonly done: number; readonly total: number }) => void;
}

/** Files that are opened; of more of them only names and sizes are known. */
const MAX_READ = 20_000;
const MAX_LISTED = 200_000;

/** Lists and opens the central certificates. What could not be read is a gap; never throws. */
export async function readCentral(parts: OperationsParts, { signal, onProgress }: SightControl): Promise<CentralSight> {
  const source = `${parts.store.location}: central certificates`;
  const folder = parts.store.folder("certificates");
  const files = new Map<string, CentralFile>();
  const gaps: Gap[] = [];
  let isListed = false;
  const gap = (why: string): void => void gaps.push({ what: "files", why });
  try {
    for await (const { path, size, mtimeMs } of folder.walk()) {
      if (signal.aborted || files.size === MAX_LISTED) break;
      if (!path.includes("/")) files.set(path, { name: path, size, modifiedAt: instant(mtimeMs) });
    }
    isListed = !signal.aborted;
    const share = createSharer();
    let read = 0;
    const { clock, passwords, workers } = parts;
    const settings = { folder, passwords, now: clock.now(), signal, onProgress, ...(workers === undefined ? {} : { workers }) };
    for await (const { file, reading } of listCertificates(settings)) {
      const known = files.get(file);
      if (known !== undefined) files.set(file, { ...known, ...accessOf(reading), reading: share(reading) });
      read += 1;
      if (read === MAX_READ) {
        gap(`only ${MAX_READ} of ${files.size} central certificate files were opened`);
        break;
      }
    }
  } catch (error) {
    gap(
      signal.aborted
        ? "reading the central certificates was stopped"
        : `the central certificates cannot be read: ${toFarmError(error).message}`,
    );
  }
  return { source, files: isListed ? [...files.values()] : undefined, gaps };
}

const accessOf = ({ status }: FileReading): Pick<CentralFile, "access"> => ({ access: status === "unreadable" ? "failed" : "readable" });

/** Many files carry the same intermediates: one object stands for each. */
function createSharer(): (reading: FileReading) => FileReading {
  const known = new Map<string, CertificateFacts>();
  const one = (certificate: CertificateFacts): CertificateFacts => {
    const shared = known.get(certificate.sha256) ?? certificate;
    known.set(certificate.sha256, shared);
    return shared;
  };
  return (reading) => {
    const { facts } = reading;
    return facts === undefined ? reading : { ...reading, facts: { ...facts, chain: facts.chain.map(one) } };
  };
}

/**
 * How a node sees the central certificates: it serves by the same files as the doctor reads, except where it says otherwise. Its own list
 * is given only then, as it may be long.
 */
export function nodeCentral(node: string, { report, files, selfTest, listing }: EvidenceAnswer, central: CentralSight): CentralEvidence {
  const source = `node ${node}: central certificates`;
  const isAway = report.staleSince !== undefined && selfTest.kind === "failed";
  const access = isAway ? ({ kind: "failed", cause: "unreachable", message: selfTest.message } as const) : ({ kind: "readable" } as const);
  const own = new Map(files.map((file) => [file.file, file]));
  const without = new Set(listing?.without);
  let differs = listing !== undefined;
  const seen = (central.files ?? [])
    .filter(({ name }) => !without.has(name))
    .map((file) => {
      const told = own.get(file.name);
      const changed = told === undefined ? undefined : asTold(file, told);
      differs ||= changed !== undefined;
      return changed ?? file;
    });
  const also = (listing?.with ?? []).map((name): CentralFile => ({ name, size: 0 }));
  return { source, enabled: true, access, ...(differs && central.files !== undefined ? { files: [...seen, ...also] } : {}) };
}

type Told = EvidenceAnswer["files"][number];

/** The file as the node tells it; undefined when that is what the doctor sees. */
function asTold(file: CentralFile, told: Told): CentralFile | undefined {
  const reading = readingAsTold(file, told);
  const inUse = inUseAsTold(file, told);
  if (reading === undefined && inUse === undefined) return undefined;
  return { ...file, ...(reading === undefined ? {} : { reading }), ...(inUse === undefined ? {} : { inUse }) };
}

/** A node may lack a password that the doctor has, or the other way round. */
function readingAsTold({ reading }: CentralFile, { status, problem, remedy }: Told): FileReading | undefined {
  if (status === "unread" || reading === undefined || status === reading.status) return undefined;
  return { status, ...(problem === undefined ? {} : { problem }), ...(remedy === undefined ? {} : { remedy }) };
}

function inUseAsTold({ reading }: CentralFile, { thumbprint, servingEarlierVersion, readAt }: Told): CentralFile["inUse"] {
  const inFile = reading?.facts?.leaf.thumbprint;
  const isOther = servingEarlierVersion || (inFile !== undefined && inFile !== thumbprint);
  return thumbprint === undefined || !isOther ? undefined : { thumbprint, ...(readAt === undefined ? {} : { since: readAt }) };
}
