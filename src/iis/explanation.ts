import type { HostName, IpAddress } from "../base/index.ts";
import { rowKeyText } from "../bindings/index.ts";
import type { EvidenceRow, EvidenceRowKey, NodeEvidence } from "../doctor/index.ts";
import type { TrailStep } from "../handshake/index.ts";

/** A ClientHello to an IIS server. */
export interface IisQuestion {
  /** Absent = a client without SNI. */
  readonly serverName?: HostName;
  /** The server's own address; absent = one that no `ip:port` row names. */
  readonly address?: IpAddress;
  readonly port: number;
}

/** What a handshake comes to, as far as the evidence tells. */
export type IisOutcome =
  /** `file`: of the central certificates; its thumbprint is known when somebody could open it. */
  | {
      readonly kind: "serve";
      readonly row: EvidenceRowKey;
      readonly thumbprint?: string;
      readonly file?: string;
      readonly storeName?: string;
    }
  /** HTTP.sys resets the connection, without an alert and without a line in a log of IIS. */
  | { readonly kind: "reset" }
  /** Evidence is missing that decides. */
  | { readonly kind: "unknown"; readonly because: string };

/** An answer with every step that leads there. */
export interface IisExplanation {
  readonly trail: readonly TrailStep[];
  readonly outcome: IisOutcome;
  /** Rules that this answer rests on and that no source proves for every version of Windows: only a probe does. */
  readonly assumed: readonly string[];
}

/** An answer under way. */
export interface IisWalk {
  readonly evidence: NodeEvidence;
  readonly question: IisQuestion;
  readonly rows: readonly EvidenceRow[];
  readonly trail: TrailStep[];
  readonly assumed: string[];
}

/** `ip:10.0.0.4:443`, `scoped-central:www.example.com:443`. */
export const keyText = (key: EvidenceRowKey): string =>
  key.kind === "scoped-central" ? `scoped-central:${key.host}:${key.port}` : rowKeyText(key);
