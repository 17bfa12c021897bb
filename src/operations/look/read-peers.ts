import { readdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";

import { ipFamily, parseIpAddress, type Endpoint, type Instant } from "../../base/index.ts";
import { checkCertificateFiles, noPasswords, type CheckedFile, type WorkerSettings } from "../../certificates/index.ts";
import type { Gap, InstalledCertificate, NodeEvidence } from "../../doctor/index.ts";
import { readHaproxy, readNginx, type PeerReading } from "../../peers/index.ts";
import { findFiles, readConfigFile } from "./find-files.ts";

/** Configurations of other servers on this machine. */
export interface PeerSettings {
  readonly nginx: readonly string[];
  readonly haproxy: readonly string[];
  readonly now: Instant;
  readonly workers?: WorkerSettings;
  readonly signal?: AbortSignal;
}

/** A server of this machine: what its configuration says, and where it listens for TLS. */
export interface PeerNode {
  readonly name: string;
  readonly evidence: NodeEvidence;
  readonly endpoints: readonly Endpoint[];
  readonly gaps: readonly Gap[];
}

const MAX_CERTIFICATES = 20_000;
/** What HAProxy leaves out of a folder of certificates. */
const NO_CERTIFICATE = /\.(key|issuer|ocsp|sctl)$/i;

/** Reads nginx and HAProxy configurations and the certificates that they name. @throws DOCTOR_FILE_UNREADABLE, PEER_CONFIG_INVALID */
export async function readPeers(settings: PeerSettings): Promise<readonly PeerNode[]> {
  const mains = [
    ...settings.nginx.map((path) => ({ make: "nginx" as const, path })),
    ...settings.haproxy.map((path) => ({ make: "haproxy" as const, path })),
  ];
  const several = mains.length > 1;
  const nodes: PeerNode[] = [];
  for (const { make, path } of mains) {
    const main = await readConfigFile(path);
    const reading = await (make === "nginx" ? readNginx(main, findFiles) : readHaproxy(main, findFiles));
    nodes.push(await nodeOf(several ? `${hostname()} ${path}` : hostname(), reading, settings));
  }
  return nodes;
}

async function nodeOf(name: string, { evidence, files, notes }: PeerReading, settings: PeerSettings): Promise<PeerNode> {
  const { now, workers, signal } = settings;
  const paths = (await Promise.all(files.map(filesAt))).flat().slice(0, MAX_CERTIFICATES);
  const checked = await checkCertificateFiles(paths, {
    passwords: noPasswords,
    now,
    ...(workers === undefined ? {} : { workers }),
    ...(signal === undefined ? {} : { signal }),
  });
  const gaps: Gap[] = notes.map(({ source, text }) => ({ node: name, what: "bindings", why: `${source}: ${text}` }));
  const certificates = checked.flatMap((file): readonly InstalledCertificate[] => {
    const found = installed(file);
    if (found === undefined) gaps.push({ node: name, what: "certificates", why: `${file.file}: ${file.problem ?? file.status}` });
    return found === undefined ? [] : [found];
  });
  return { name, evidence: { ...evidence, at: now, certificates }, endpoints: tlsEndpoints(evidence), gaps };
}

/** A folder stands for the certificate files in it. */
async function filesAt(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return [path];
  const names = await readdir(path).catch(() => []);
  return names.filter((name) => !NO_CERTIFICATE.test(name)).map((name) => join(path, name));
}

function installed({ file, status, facts }: CheckedFile): InstalledCertificate | undefined {
  if (facts === undefined) return undefined;
  const { leaf, chainEnds } = facts;
  const { thumbprint, subject, issuer, dnsNames, notBefore, notAfter, selfSigned } = leaf;
  return {
    source: file,
    store: file,
    thumbprint,
    subject,
    issuer,
    dnsNames,
    notBefore,
    notAfter,
    hasKey: status !== "no-key",
    chain: { complete: chainEnds !== "leaf-only" || selfSigned },
  };
}

/** Where it is dialled on this machine. */
function tlsEndpoints({ listeners = [] }: NodeEvidence): readonly Endpoint[] {
  return listeners
    .filter(({ protocol }) => protocol === "https")
    .map(({ endpoint }) => {
      const any = endpoint.address === "0.0.0.0" || endpoint.address === "::";
      const address = any ? (parseIpAddress(ipFamily(endpoint.address) === 4 ? "127.0.0.1" : "::1") ?? endpoint.address) : endpoint.address;
      return { address, port: endpoint.port };
    });
}
