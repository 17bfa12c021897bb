import type { AuditTrail } from "../audit/index.ts";
import type { Clock, Log } from "../base/index.ts";
import type { PasswordSource, WorkerSettings } from "../certificates/index.ts";
import type { SealedStore } from "../secrets/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FarmStore } from "../store/index.ts";

/** What the use cases work with. */
export interface OperationsParts {
  readonly store: FarmStore;
  /** How `store` seals; absent where nothing secret is changed. */
  readonly sealed?: SealedStore;
  readonly clock: Clock;
  readonly log: Log;
  /** What changes are signed with, and answers verified; absent = a farm without identities. */
  readonly signing?: Signing | undefined;
  /** Where steps of longer changes are written; absent = nowhere. */
  readonly audit?: Pick<AuditTrail, "change">;
  /** Passwords of the central certificates. */
  readonly passwords: PasswordSource;
  /** Who acts when a call does not say: `user@machine`. */
  readonly by: string;
  /** PEM texts of the farm's own roots, for callers that name none. @default the system's */
  readonly caPem?: string;
  /** Threads that open certificate files. */
  readonly workers?: WorkerSettings;
}
