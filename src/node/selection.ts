import type { Clock, IpAddress } from "../base/index.ts";
import type { BindingTable } from "../bindings/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import type { FarmConfig, SiteIndex } from "../config/index.ts";
import { decide, type Decision, type ServerName } from "../handshake/index.ts";
import type { TicketKeySet } from "../replica/index.ts";

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
  readonly certificates: Pick<CentralCertificates, "view" | "read" | "ready">;
  readonly state: () => ServingState;
}): Selector {
  const now = (question: SelectionQuestion): Decision =>
    decide({
      table: parts.state().table,
      serverName: question.serverName,
      local: { address: question.address, port: question.port },
      central: parts.certificates.view,
      now: parts.clock.now(),
    });
  return {
    now,
    async settled(question) {
      // The first moments of a node: its names are being listed, and a name not listed yet is no missing name.
      await parts.certificates.ready;
      for (let round = 0; round < MAX_ROUNDS; round += 1) {
        const decision = now(question);
        if (decision.kind !== "need") return decision;
        await parts.certificates.read(decision.files);
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
