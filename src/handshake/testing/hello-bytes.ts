/** Builds ClientHellos octet by octet, so that tests can make every kind of wrong one. */

/** One extension. */
export interface ExtensionBytes {
  readonly type: number;
  readonly data: Uint8Array;
}

/** Parts of a ClientHello that a test sets; the rest is a plain TLS 1.3 client. */
export interface HelloParts {
  readonly legacyVersion?: number;
  readonly sessionId?: Uint8Array;
  readonly cipherSuites?: Uint8Array;
  readonly compressions?: Uint8Array;
  /** undefined = the extensions block is left out altogether. */
  readonly extensions?: readonly ExtensionBytes[] | undefined;
  /** Octets behind the extensions block. */
  readonly trailing?: Uint8Array;
}

export const octets = (...values: number[]): Uint8Array => Uint8Array.from(values);
export const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "latin1"));
export const joined = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));
export const u16 = (value: number): Uint8Array => octets(value >> 8, value & 255);
export const vector8 = (content: Uint8Array): Uint8Array => joined(octets(content.length), content);
export const vector16 = (content: Uint8Array): Uint8Array => joined(u16(content.length), content);

/** server_name with these names, each of type host_name. */
export function serverName(...names: readonly Uint8Array[]): ExtensionBytes {
  return { type: 0, data: vector16(joined(...names.map((name) => joined(octets(0), vector16(name))))) };
}

/** server_name with one name in ASCII or Latin-1. */
export const named = (name: string): ExtensionBytes => serverName(ascii(name));

/** supported_versions. */
export const versions = (...numbers: readonly number[]): ExtensionBytes => ({
  type: 43,
  data: vector8(joined(...numbers.map((number) => u16(number)))),
});

/** ALPN. */
export const alpn = (...protocols: readonly string[]): ExtensionBytes => ({
  type: 16,
  data: vector16(joined(...protocols.map((protocol) => vector8(ascii(protocol))))),
});

/** pre_shared_key with identities and a 32-octet binder each (or another count of binders). */
export function preSharedKey(identities: readonly Uint8Array[], binders = identities.length): ExtensionBytes {
  const list = identities.map((identity) => joined(vector16(identity), octets(0, 0, 0, 1)));
  const binder = vector8(new Uint8Array(32));
  return { type: 41, data: joined(vector16(joined(...list)), vector16(joined(...Array.from({ length: binders }, () => binder)))) };
}

/** The handshake message, its header included. */
export function helloMessage(parts: HelloParts = {}): Uint8Array {
  const extensions =
    "extensions" in parts ? parts.extensions : [named("www.example.com"), versions(0x0304, 0x0303), alpn("h2", "http/1.1")];
  const block = extensions?.map(({ type, data }) => joined(u16(type), vector16(data)));
  const body = joined(
    u16(parts.legacyVersion ?? 0x0303),
    new Uint8Array(32).fill(7),
    vector8(parts.sessionId ?? new Uint8Array(32)),
    vector16(parts.cipherSuites ?? octets(0x13, 1, 0x13, 2)),
    vector8(parts.compressions ?? octets(0)),
    block === undefined ? new Uint8Array(0) : vector16(joined(...block)),
    parts.trailing ?? new Uint8Array(0),
  );
  return joined(octets(1, body.length >> 16, (body.length >> 8) & 255, body.length & 255), body);
}

/** A message in handshake records of at most `size` octets each. */
export function records(message: Uint8Array, size = 16_384): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < message.length; at += size) parts.push(octets(22, 3, 1), vector16(message.subarray(at, at + size)));
  return joined(...parts);
}

/** A ClientHello in one record. */
export const helloBytes = (parts: HelloParts = {}): Uint8Array => records(helloMessage(parts));
