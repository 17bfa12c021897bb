import { FarmError, parseIpAddress, requireHostName, type IpAddress } from "../../base/index.ts";
import type { NodeEvidence } from "../../doctor/index.ts";
import { explainIis, formatIisExplanation } from "../../iis/index.ts";
import type { PerNode } from "../ask-nodes.ts";
import type { HereParts } from "./examine-servers.ts";
import { readEvidence } from "./read-evidence.ts";
import { readShare } from "./read-share.ts";

/** A ClientHello to servers with IIS, by their evidence. */
export interface EvidenceQuestion {
  readonly evidence: readonly string[];
  readonly share?: string;
  readonly passwordFile?: string;
  /** Absent = every server of the evidence. */
  readonly node?: string;
  readonly serverName?: string;
  readonly address?: string;
  readonly port: number;
}

/** What a server would do, and every step that leads there. */
export interface EvidenceAnswered {
  readonly outcome: "serve" | "reset" | "unknown";
  readonly thumbprint?: string;
  readonly lines: readonly string[];
}

/**
 * Explains from files which certificate servers with IIS show.
 * @throws NODE_UNKNOWN, HOST_NAME_INVALID, ENDPOINT_INVALID, DOCTOR_FILE_UNREADABLE, IIS_EVIDENCE_INVALID, IIS_INPUT_TOO_LARGE
 */
export async function explainEvidence(parts: HereParts, question: EvidenceQuestion): Promise<readonly PerNode<EvidenceAnswered>[]> {
  const { nodes } = await readEvidence(question.evidence);
  const chosen = nodes.filter(({ name }) => question.node === undefined || name.toLowerCase() === question.node.toLowerCase());
  if (chosen.length === 0) throw unknown(question.node, nodes);
  const central = await shareOf(parts, question);
  const serverName = question.serverName === undefined ? {} : { serverName: requireHostName(question.serverName) };
  const address = question.address === undefined ? {} : { address: requireAddress(question.address) };
  return chosen.map(({ name, evidence }) => {
    const explained = explainIis(withShare(evidence, central), { ...serverName, ...address, port: question.port });
    const { outcome } = explained;
    const thumbprint = outcome.kind === "serve" && outcome.thumbprint !== undefined ? { thumbprint: outcome.thumbprint } : {};
    return { node: name, kind: "answer", answer: { outcome: outcome.kind, ...thumbprint, lines: formatIisExplanation(explained) } };
  });
}

function unknown(node: string | undefined, nodes: readonly { readonly name: string }[]): FarmError {
  const there = nodes.length === 0 ? "it tells of no server" : `it tells of ${nodes.slice(0, 20).map(({ name }) => name).join(", ")}`; // prettier-ignore
  return new FarmError(
    "NODE_UNKNOWN",
    node === undefined
      ? `the evidence cannot be used: ${there}`
      : `the evidence tells nothing of ${JSON.stringify(node.slice(0, 100))}: ${there}`,
  );
}

type Central = NonNullable<NodeEvidence["central"]>;

async function shareOf(
  { clock, log, workers }: HereParts,
  { share, passwordFile }: EvidenceQuestion,
): Promise<Pick<Central, "source" | "files"> | undefined> {
  if (share === undefined) return undefined;
  const settings = { folder: share, now: clock.now(), log, onProgress: () => undefined };
  const { files } = await readShare({
    ...settings,
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(workers === undefined ? {} : { workers }),
  });
  return { source: share, files };
}

/** The folder stands in where the server's own listing was not collected. */
function withShare(evidence: NodeEvidence, share: Pick<Central, "source" | "files"> | undefined): NodeEvidence {
  if (share === undefined || evidence.central?.files !== undefined) return evidence;
  return { ...evidence, central: { ...share, ...evidence.central, ...(share.files === undefined ? {} : { files: share.files }) } };
}

function requireAddress(text: string): IpAddress {
  const address = parseIpAddress(text);
  if (address === undefined) throw new FarmError("ENDPOINT_INVALID", `${JSON.stringify(text.slice(0, 100))} is not an IP address`);
  return address;
}
