/** How servers are dialled. */
export interface DialSettings {
  /** The deeper set of handshakes for every host. @default where nodes differ or fail */
  readonly deep?: boolean;
  /** For one handshake. */
  readonly timeoutMs?: number;
  /** Handshakes at a time for one endpoint. */
  readonly concurrency?: number;
  /** PEM texts of roots to verify against instead of the system's. */
  readonly caPem?: string;
}

/** How far looking has come. */
export interface LookProgress {
  readonly phase: "evidence" | "files" | "dns" | "probes" | "rules";
  readonly done: number;
  readonly total: number;
}

/** Who follows a look and ends it: what is known by then is the answer. */
export interface LookControl {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LookProgress) => void;
}
