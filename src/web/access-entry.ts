/** One answered (or abandoned) request, as the access log is told of it. Texts are as the client sent them. */
export interface AccessEntry {
  readonly protocol: "http" | "https";
  /** `1.1`, `2.0`. */
  readonly httpVersion: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** Without its `?`. */
  readonly query: string;
  /** Binding port. */
  readonly port: number;
  readonly site: string;
  readonly clientAddress: string;
  readonly clientSubject: string;
  readonly userAgent: string;
  readonly referer: string;
  /** 0 = the client left before there was one. */
  readonly status: number;
  /** Octets of the body. */
  readonly bytes: number;
  readonly tookMs: number;
  /** The client went away before everything was sent. */
  readonly aborted: boolean;
}

/** Takes entries; never blocks or throws. */
export interface AccessLog {
  record(entry: AccessEntry): void;
}

/** Drops everything. */
export const noAccessLog: AccessLog = { record() {} };
