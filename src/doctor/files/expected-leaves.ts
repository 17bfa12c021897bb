import { wildcardOf, type HostName, type HostPattern, type Instant } from "../../base/index.ts";
import type { FileStatus } from "../../pki/index.ts";
import type { CentralFile, InstalledCertificate, NodeEvidence, Source } from "../evidence.ts";
import type { ExaminedNode } from "../examination.ts";
import type { View } from "../view.ts";
import { answeringFiles } from "./answering-files.ts";
import { storeSights, type StoreSight } from "./store-sights.ts";

/** A certificate that a node is to present for a host, as its file says. */
export interface ExpectedLeaf {
  /** SHA-1, 40 upper-case hexadecimal digits. */
  readonly thumbprint: string;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly dnsNames: readonly string[];
  readonly file: string;
  readonly modifiedAt?: Instant;
}

/** What a node is to present for a host: several leaves when keys of different types are offered. */
export interface Expected {
  readonly leaves: readonly [ExpectedLeaf, ...ExpectedLeaf[]];
  readonly source: Source;
  /** How long the node may take to notice a changed file; Infinity = it does not look by itself. */
  readonly noticesWithinMs: number;
}

/** A file of another status is not served, whatever it holds: certfarm keeps the former certificate in use then. */
const SERVABLE: ReadonlySet<FileStatus> = new Set<FileStatus>(["ok", "expired", "not-yet-valid"]);

/** IIS looks every 300 s unless it is told otherwise. */
const IIS_POLLING_S = 300;
/** certfarm looks at the whole folder every 30 s, and reads what changed. */
const CERTFARM_MS = 60_000;

/** The leaves in the files from which the node answers for this host; undefined when they are not known. */
export function expectedLeaves(view: View, node: ExaminedNode, host: HostName): Expected | undefined {
  if (node.evidence?.make === "nginx" || node.evidence?.make === "haproxy") return fromPaths(node.evidence, host);
  const sight = storeSights(view).find((each) => each.node === node);
  return sight === undefined ? undefined : fromStore(sight, host);
}

function fromStore(sight: StoreSight, host: HostName): Expected | undefined {
  const files = answeringFiles(sight, host)?.files.filter(({ reading }) => reading !== undefined && SERVABLE.has(reading.status));
  const [first, ...rest] = files?.flatMap(leafOf) ?? [];
  if (first === undefined) return undefined;
  const polling = sight.node.evidence?.central?.pollingSeconds ?? IIS_POLLING_S;
  return {
    leaves: [first, ...rest],
    source: sight.source,
    noticesWithinMs: sight.make === "iis" ? polling * 1_000 : CERTFARM_MS,
  };
}

function leafOf({ name, reading, modifiedAt }: CentralFile): readonly ExpectedLeaf[] {
  const leaf = reading?.facts?.leaf;
  if (leaf === undefined) return [];
  const { thumbprint, notBefore, notAfter, dnsNames } = leaf;
  return [{ thumbprint, notBefore, notAfter, dnsNames, file: name, ...(modifiedAt === undefined ? {} : { modifiedAt }) }];
}

interface Paths {
  readonly byHost: ReadonlyMap<HostPattern, readonly string[]>;
  readonly byPath: ReadonlyMap<string, InstalledCertificate>;
}

const known = new WeakMap<NodeEvidence, Paths>();

/** nginx and HAProxy: files that their configuration names, read when they start. */
function fromPaths(evidence: NodeEvidence, host: HostName): Expected | undefined {
  const paths = known.get(evidence) ?? pathsOf(evidence);
  known.set(evidence, paths);
  const wildcard = wildcardOf(host);
  const named = paths.byHost.get(host as unknown as HostPattern) ?? (wildcard === undefined ? undefined : paths.byHost.get(wildcard));
  const [first, ...rest] = (named ?? []).flatMap((path) => {
    const found = paths.byPath.get(path);
    if (found === undefined) return [];
    const { thumbprint, notBefore, notAfter, dnsNames } = found;
    return [{ thumbprint, notBefore, notAfter, dnsNames, file: path }];
  });
  return first === undefined ? undefined : { leaves: [first, ...rest], source: evidence.source, noticesWithinMs: Number.POSITIVE_INFINITY };
}

function pathsOf({ bindings, certificates }: NodeEvidence): Paths {
  const byHost = new Map<HostPattern, readonly string[]>();
  for (const { host, files, protocol } of bindings?.bindings ?? []) {
    if (protocol === "https" && host !== undefined && files !== undefined) byHost.set(host, [...(byHost.get(host) ?? []), ...files]);
  }
  return { byHost, byPath: new Map((certificates ?? []).map((certificate) => [certificate.store, certificate])) };
}
