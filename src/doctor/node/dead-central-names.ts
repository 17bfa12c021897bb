import type { HostName } from "../../base/index.ts";
import { storeSights } from "../files/store-sights.ts";
import { centralFileFor } from "../files/central-files.ts";
import type { CellRef } from "../finding.ts";
import type { Evident, View } from "../view.ts";
import { readsStore, tryingStore } from "./central-asked.ts";
import { centralSymptoms, refsOf } from "./central-symptoms.ts";
import { bindingPort, rowsOfPort } from "./table-rows.ts";

/** A server on which everything about the central store looks right, and no central name is served. */
export interface DeadCentral {
  readonly node: Evident<"central">;
  readonly refs: readonly CellRef[];
  readonly hosts: readonly HostName[];
  /** Nodes that serve some of these hosts well. */
  readonly peers: readonly string[];
}

/**
 * IIS servers that have the row, the feature, and a folder that can be read as their account, and yet reset every handshake of the names
 * whose files are there and can be opened: what is left is the password of the files, or a service that never looked again.
 */
export function deadCentralNodes(view: View): readonly DeadCentral[] {
  return tryingStore(view).flatMap((node) => {
    if (node.evidence.make !== "iis" || !readsStore(node.part)) return [];
    const unserved = centralSymptoms(view, node).filter(({ how, port }) => how === "unserved" && hasCentralRow(node, port));
    const hosts = unserved.map(({ symptom }) => symptom.host);
    if (hosts.length === 0 || servesSome(view, node) || !hosts.some((host) => isReadable(view, node, host))) return [];
    const peers = view.nodes.filter(({ name }) => hosts.some((host) => view.healthy(name, host))).map(({ name }) => name);
    return peers.length === 0 ? [] : [{ node, refs: refsOf(unserved.map(({ symptom }) => symptom)), hosts, peers }];
  });
}

function hasCentralRow({ evidence: { table } }: Evident<"central">, port: number): boolean {
  return table !== undefined && rowsOfPort(table, port)?.central !== undefined;
}

/** A central name that is served shows that the password is right. */
function servesSome(view: View, { node, evidence }: Evident<"central">): boolean {
  return view.cellsOf(node.name).some(({ host, endpoint, probes }) => {
    if (probes.sni?.outcome.kind !== "served" || evidence.table === undefined) return false;
    const rows = rowsOfPort(evidence.table, bindingPort(evidence, endpoint));
    return rows?.host.has(host) !== true && !(rows !== undefined && rows.ip.has(endpoint.address));
  });
}

/** Whether the host's file is in the folder, and nothing is known against it. */
function isReadable(view: View, { node }: Evident<"central">, host: HostName): boolean {
  const sight = storeSights(view).find((candidate) => candidate.node === node);
  if (sight === undefined) return true;
  const found = centralFileFor(host, sight.files, "iis");
  return (
    found?.files.some(
      ({ access, reading }) =>
        access !== "denied" && access !== "failed" && (reading === undefined || isUsable(reading, node.evidence?.system?.build)),
    ) === true
  );
}

const OLD_WINDOWS = 17_763;

/** A file that an older Windows refuses is a cause of its own. */
function isUsable(
  { status, facts }: { readonly status: string; readonly facts?: { readonly refusedBy: readonly string[] } },
  build: number | undefined,
): boolean {
  return (
    status === "ok" &&
    !(build !== undefined && build < OLD_WINDOWS && facts?.refusedBy.some((reader) => reader.startsWith("Windows")) === true)
  );
}
