import { parseIpAddress, requireHostName, type Instant, type IpAddress } from "../base/index.ts";
import type { BindingTable } from "../bindings/index.ts";
import { decide, type CentralView, type FileKnowledge, type LeafFacts } from "../handshake/index.ts";
import { isValid } from "./known-file.ts";

/** A file that loses against another of the same name, and why. */
export interface Shadow {
  readonly file: string;
  readonly because: string;
}

const PORT = 443;
const TABLE: BindingTable = { rows: [{ key: { kind: "central", port: PORT }, origin: "configuration", appId: "" }] };
// Which host is asked does not matter: the view gives the same files for every one.
const ANY_HOST = requireHostName("any.invalid");
const LOOPBACK = parseIpAddress("127.0.0.1") as IpAddress; // an address as it stands

/**
 * Of several files that promise the same name, those that are not offered, each with the file that is offered instead.
 * The choice is made by the function that serves.
 */
export function findShadows(files: readonly FileKnowledge[], now: Instant): ReadonlyMap<string, Shadow> {
  const shadows = new Map<string, Shadow>();
  if (files.length < 2) return shadows;
  const central: CentralView = {
    candidates: () => files.map((knowledge) => ({ via: "exact", knowledge })),
    file: (name) => files.find(({ file }) => file === name),
  };
  const local = { address: LOOPBACK, port: PORT };
  const decision = decide({ table: TABLE, serverName: { kind: "name", host: ANY_HOST }, local, central, now });
  if (decision.kind !== "serve") return shadows;
  const chosen = files.filter(({ file }) => decision.certificates.some((certificate) => certificate.file === file));
  for (const loser of files) {
    const winner = chosen.find((file) => keyTypeOf(file) === keyTypeOf(loser)) ?? chosen[0];
    if (winner !== undefined && !chosen.includes(loser))
      shadows.set(loser.file, { file: winner.file, because: reason(winner, loser, now) });
  }
  return shadows;
}

function keyTypeOf(knowledge: FileKnowledge): string | undefined {
  return knowledge.state === "usable" ? knowledge.leaf.keyType : undefined;
}

function reason(winner: FileKnowledge, loser: FileKnowledge, now: Instant): string {
  if (loser.state !== "usable" || winner.state !== "usable") return `${loser.file} cannot be used`;
  const [first, second] = [winner.leaf, loser.leaf];
  if (first.thumbprint === second.thumbprint) return "both hold the same certificate";
  if (isValid(first, now) && !isValid(second, now)) return `${winner.file} is valid now`;
  if (first.notAfter !== second.notAfter) return `${winner.file} is valid until ${day(first)}, later than ${day(second)}`;
  return `both end on ${day(first)}, and the thumbprint decides`;
}

function day(leaf: LeafFacts): string {
  return new Date(leaf.notAfter).toISOString().slice(0, 10);
}
