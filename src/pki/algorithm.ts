import { oidOf, sequenceOf, type Tlv } from "./tlv.ts";

/** An AlgorithmIdentifier (RFC 5280 section 4.1.1.2) with its parameters unread. */
export interface Algorithm {
  readonly oid: string;
  readonly parameters: Tlv | undefined;
}

/** @throws CERTIFICATE_MALFORMED naming `what` */
export function algorithmOf(value: Tlv | undefined, what: string): Algorithm {
  const [oid, parameters] = sequenceOf(value, what);
  return { oid: oidOf(oid, what), parameters };
}
