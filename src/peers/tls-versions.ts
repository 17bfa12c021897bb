import type { NodeEvidence } from "../doctor/index.ts";

type Protocols = NonNullable<NodeEvidence["protocols"]>;
/** A version of TLS that evidence tells of. */
export type TlsVersion = Protocols[number]["protocol"];

/** Oldest first. */
export const TLS_VERSIONS: readonly TlsVersion[] = ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"];

/** What some TLS endpoint of a server takes; `source` is where it is written. */
export interface WrittenVersions {
  readonly versions: readonly TlsVersion[];
  readonly source: string;
}

/**
 * The versions of a server with many endpoints: on when one endpoint takes it. Undefined when an endpoint has no setting: what applies then
 * depends on the build of the server.
 */
export function protocolsOf(endpoints: readonly (WrittenVersions | undefined)[]): Protocols | undefined {
  const written = endpoints.filter((each) => each !== undefined);
  const [first] = written;
  if (first === undefined || written.length < endpoints.length) return undefined;
  return TLS_VERSIONS.map((protocol) => {
    const on = written.find(({ versions }) => versions.includes(protocol));
    return { protocol, enabled: on !== undefined, source: (on ?? first).source };
  });
}
