import type { Clock, IpAddress } from "../base/index.ts";
import type { BindingTable } from "../bindings/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import type { FarmConfig, SiteIndex } from "../config/index.ts";
import { decide, type CentralView, type Decision, type ServerName } from "../handshake/index.ts";
import type { TicketKeySet } from "../replica/index.ts";
import { decideEarly } from "./early-selection.ts";

/** What a node serves by, replaced as a whole: connections of one moment see one state. */
export interface ServingState {
  /** Grows with every replacement and every change of certificates: what was decided under another epoch is decided anew. */
  readonly epoch: number;
  readonly table: BindingTable;
  readonly config: FarmConfig | undefined;
  readonly sites: SiteIndex | undefined;
  readonly ticketKeys: TicketKeySet | undefined;
}

/** A question to decide. */
export interface SelectionQuestion {
  readonly serverName: ServerName;
  readonly address: IpAddress;
  readonly port: number;
}

/** A decision with nothing left to read. */
export type FinalDecision = Exclude<Decision, { kind: "need" }>;

/** One selection can ask for files seven times (each kind of row, each class of candidates) before it decides. */
const MAX_ROUNDS = 8;

/** Answers by the serving state of the moment. */
export interface Selector {
  /** Without reading files; `need` when that is not enough. */
  now(question: SelectionQuestion): Decision;
  /** Reads what is needed, then answers. @throws CERTIFICATES_OVERLOADED, STORE_UNAVAILABLE */
  settled(question: SelectionQuestion): Promise<FinalDecision>;
}

/** A selector over a node's table and the central certificates: `decide` with reading between its rounds. */
export function createSelector(parts: {
  readonly clock: Clock;
  readonly certificates: Pick<CentralCertificates, "view" | "read" | "look" | "isListed" | "listed">;
  readonly state: () => ServingState;
}): Selector {
  const { certificates } = parts;
  const decideBy = (question: SelectionQuestion, central: CentralView): Decision =>
    decide({
      table: parts.state().table,
      serverName: question.serverName,
      local: { address: question.address, port: question.port },
      central,
      now: parts.clock.now(),
    });
  const now = (question: SelectionQuestion): Decision => decideBy(question, certificates.view);
  return {
    now,
    async settled(question) {
      // The first moments of a node: a name not listed yet is no missing name.
      if (!certificates.isListed) {
        const early = await decideEarly(certificates, (view) => decideBy(question, view));
        if (early !== undefined) return early;
        await certificates.listed();
      }
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const decision = now(question);
        if (decision.kind !== "need") return decision;
        await certificates.read(decision.files);
      }
      return {
        kind: "refuse",
        reason: "certificate-unusable",
        alert: "internal_error",
        trail: [{ look: "central row", outcome: "refused", because: `its files changed ${MAX_ROUNDS} times while they were read` }],
      };
    },
  };
}
