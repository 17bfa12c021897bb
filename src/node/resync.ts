import { FarmError, parseHostName } from "../base/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import type { Revision, TicketKeys } from "../replica/index.ts";
import type { NodeRequestMap } from "./requests.ts";
import type { Reconciler } from "./reconciler.ts";
import type { SelfProof } from "./self-proof.ts";
import type { Serving } from "./serving.ts";

/** What doing a part again works with. */
export interface ResyncParts {
  readonly reconciler: Reconciler;
  readonly certificates: Pick<CentralCertificates, "reports" | "refresh" | "view">;
  readonly tickets: Pick<TicketKeys, "refresh">;
  readonly serving: Pick<Serving, "update">;
  readonly proof: Pick<SelfProof, "kick">;
  /** The newest revision of the store. */
  readonly latest: () => Promise<Revision | undefined>;
}

const MAX_FILES = 1_000;

/** Does one part of the node again from desired state. Repeating it changes nothing. @throws the store's errors, HOST_NAME_INVALID */
export async function resync(
  parts: ResyncParts,
  { part, host }: NodeRequestMap["resync"]["input"],
): Promise<NodeRequestMap["resync"]["output"]> {
  await redo(parts, part, host);
  parts.proof.kick();
  const { drift, problem } = parts.reconciler.state;
  return { part, drift: drift.slice(0, 20), ...(problem === undefined ? {} : { problem }) };
}

async function redo(parts: ResyncParts, part: NodeRequestMap["resync"]["input"]["part"], host: string | undefined): Promise<void> {
  switch (part) {
    case "table":
      return parts.reconciler.mendNow();
    case "certificates":
      return parts.certificates.refresh(filesOf(parts, host));
    case "ticket-keys": {
      const ticketKeys = await parts.tickets.refresh();
      if (ticketKeys !== undefined) parts.serving.update({ ticketKeys });
      return;
    }
    case "configuration": {
      const latest = await parts.latest();
      if (latest !== undefined) parts.reconciler.offer(latest);
      return parts.reconciler.reconcile();
    }
    case "listeners":
      return parts.reconciler.reconcile(); // every pass opens what is not open
  }
}

/** The files that answer for a host; without one those that the node has in use or found bad. */
function filesOf({ certificates }: ResyncParts, host: string | undefined): readonly string[] {
  if (host === undefined) return certificates.reports(MAX_FILES).map(({ file }) => file);
  const name = parseHostName(host);
  if (name === undefined) throw new FarmError("HOST_NAME_INVALID", `${JSON.stringify(host.slice(0, 300))} is not a host name`);
  return certificates.view.candidates(name).map(({ knowledge }) => knowledge.file);
}
