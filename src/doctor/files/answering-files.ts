import type { HostName } from "../../base/index.ts";
import type { CandidateVia } from "../../handshake/index.ts";
import { certificateOrigin } from "./certificate-origin.ts";
import { centralFileFor } from "./central-files.ts";
import type { CentralFile } from "../evidence.ts";
import type { StoreSight } from "./store-sights.ts";

/** The files from which a node answers for a host, and how they were found. */
export interface Answering {
  readonly via: CandidateVia | "row";
  readonly files: readonly CentralFile[];
}

/** The files that are first in line for a host, usable or not; undefined when there are none, or another certificate is named. */
export function firstInLine(sight: StoreSight, host: HostName): Answering | undefined {
  return named(sight, host) ?? (asks(sight, host) ? sight.candidates(host).classes[0] : undefined);
}

/** The files that the node is to answer from, as far as they can be used. */
export function answeringFiles(sight: StoreSight, host: HostName): Answering | undefined {
  return named(sight, host) ?? (asks(sight, host) ? centralFileFor(host, sight.files, sight.make) : undefined);
}

/** Whether the central certificates are to answer for the host, as far as is known. */
export function asks({ node }: StoreSight, host: HostName): boolean {
  const { kind } = certificateOrigin(node, host);
  return kind === "central" || kind === "unknown";
}

function named({ node, files }: StoreSight, host: HostName): Answering | undefined {
  const origin = certificateOrigin(node, host);
  if (origin.kind !== "named" || origin.file === undefined) return undefined;
  const { file: name } = origin;
  const found = files.filter((file) => file.name === name);
  return found.length === 0 ? undefined : { via: "row", files: found };
}
