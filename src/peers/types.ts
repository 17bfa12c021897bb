import type { NodeEvidence } from "../doctor/index.ts";

/** A text file of a server's configuration. */
export interface ConfigFile {
  readonly path: string;
  readonly text: string;
}

/**
 * Gives the files that a path or a pattern (`/etc/nginx/conf.d/*.conf`, as in glob(7)) names, in the order of their names; none when there
 * are none. The pattern is made from the path of the main file, so it is relative when that is.
 */
export type FindFiles = (pattern: string) => Promise<readonly ConfigFile[]>;

/** Something in a configuration that evidence cannot hold, or that could not be looked at. */
export interface PeerNote {
  /** `nginx.conf:12` */
  readonly source: string;
  readonly text: string;
}

/** What the configuration of a server of another make says. */
export interface PeerReading {
  /** Bindings and listeners, and protocols when they are written. Without `certificates`: whoever reads `files` adds them. */
  readonly evidence: NodeEvidence;
  /**
   * Paths that certificates are loaded from, as bindings name them, without doubles; relative to the working folder when the path of the
   * main file is. HAProxy takes a folder as well: then every file in it, without those that end in `.key`, `.issuer`, `.ocsp` or `.sctl`.
   */
  readonly files: readonly string[];
  readonly notes: readonly PeerNote[];
}
