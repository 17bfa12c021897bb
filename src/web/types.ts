import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";

import type { HostName, HostPattern } from "../base/index.ts";
import type { Limits, SiteIndex, TlsVersion } from "../config/index.ts";

/** A request of HTTP/1.1 or of HTTP/2 through the compatibility API. */
export type WebRequest = IncomingMessage | Http2ServerRequest;
/** Its answer. */
export type WebResponse = ServerResponse | Http2ServerResponse;

/** What a listener knows about the connection of a request; the same object for all its requests. */
export interface ConnectionFacts {
  readonly protocol: "http" | "https";
  readonly bindingPort: number;
  /** The client's address: from the PROXY header when the balancer sent one. */
  readonly clientAddress: string;
  readonly clientPort: number;
  /** Names of the leaf that was served (every key type of it); https only. A Host outside them is answered with 421. */
  readonly certificateNames?: readonly HostPattern[];
  readonly serverName?: string;
  /** What was spoken; https only. */
  readonly tlsVersion?: TlsVersion;
  /** The rule by which this connection was asked for a client certificate; absent = it was not. */
  readonly clientRule?: string;
  /** Client certificate's subject when one was verified. */
  readonly clientSubject?: string;
}

/** What a site asks of the handshake of a connection that reads it. */
export interface TlsDemands {
  readonly minVersion: TlsVersion;
  /** Names mode and authorities of its client certificates, with their content; absent = it asks for none. */
  readonly clientRule?: string;
}

/** A content folder on the node's own disk, whole and switched at once. */
export interface ContentTree {
  readonly digest: string;
  /** Absolute path of the folder that holds exactly the files below. */
  readonly root: string;
  /** By relative path. */
  readonly files: ReadonlyMap<string, { readonly size: number; readonly sha256: string; readonly mtimeMs: number }>;
}

/** What the web room needs; asked anew on every request, so a switch needs no restart. */
export interface WebSources {
  readonly node: string;
  sites(): SiteIndex;
  limits(): Limits;
  content(folder: string): ContentTree | undefined;
  /** What the site that takes this host asks of TLS. A request over a connection that was made by weaker rules is answered with 421. */
  tlsDemands(bindingPort: number, host: HostName | undefined): TlsDemands;
  /** The port a client must use for https of this site: the balancer's or the node's own mapped port. */
  publicHttpsPort(bindingPort: number): number;
}

/** Answers requests and upgrades. */
export interface WebHandler {
  request(request: WebRequest, response: WebResponse, connection: ConnectionFacts): void;
  /** For a server's `checkContinue` event: says 100 Continue only when the body will be read. */
  checkContinue(request: WebRequest, response: WebResponse, connection: ConnectionFacts): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, connection: ConnectionFacts): void;
  close(): Promise<void>;
}
