import { ipFamily, parseIpAddress, type Endpoint, type IpAddress } from "../base/index.ts";

/**
 * What the first octets of a connection say in terms of the PROXY protocol (versions 1 and 2, as HAProxy specifies them).
 * `length` is the number of octets that belong to the header; what follows is the client's.
 */
export type ProxyHeaderReading =
  | {
      readonly kind: "header";
      /** Absent for LOCAL, UNKNOWN, UNSPEC and UNIX: then the connection's own addresses hold. */
      readonly source?: Endpoint;
      readonly destination?: Endpoint;
      /** The sender speaks for itself (a health check), not for a client. */
      readonly local: boolean;
      readonly length: number;
    }
  | { readonly kind: "incomplete" }
  /** Not a PROXY header. */
  | { readonly kind: "none" }
  | { readonly kind: "malformed"; readonly problem: string };

/** Longest header that is read: a version 2 header with TLVs; a version 1 line is at most 107 octets. */
export const MAX_PROXY_HEADER_BYTES = 4096;

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const V1_START = Uint8Array.of(0x50, 0x52, 0x4f, 0x58, 0x59, 0x20); // "PROXY "
const V1_MAX = 107;
const V2_FIXED = 16;
const CRC32C_TLV = 0x03;

const malformed = (problem: string): ProxyHeaderReading => ({ kind: "malformed", problem });

/** Whether bytes begin with `start`, or are too short to tell. */
function begins(bytes: Uint8Array, start: Uint8Array): "yes" | "no" | "undecided" {
  const end = Math.min(bytes.length, start.length);
  for (let at = 0; at < end; at++) if (bytes[at] !== start[at]) return "no";
  return bytes.length < start.length ? "undecided" : "yes";
}

/** Reads a PROXY header of either version from the first octets of a connection; never throws. */
export function parseProxyHeader(bytes: Uint8Array): ProxyHeaderReading {
  const [v2, v1] = [begins(bytes, SIGNATURE), begins(bytes, V1_START)];
  if (v2 === "yes") return parseV2(bytes);
  if (v1 === "yes") return parseV1(bytes);
  return v1 === "no" && v2 === "no" ? { kind: "none" } : { kind: "incomplete" };
}

function parseV1(bytes: Uint8Array): ProxyHeaderReading {
  const newline = bytes.subarray(0, V1_MAX).indexOf(0x0a);
  if (newline < 0) return bytes.length >= V1_MAX ? malformed("the PROXY line has no end within 107 octets") : { kind: "incomplete" };
  if (bytes[newline - 1] !== 0x0d) return malformed("the PROXY line ends without a carriage return");
  const words = String.fromCharCode(...bytes.subarray(V1_START.length, newline - 1)).split(" ");
  return readV1Words(words, newline + 1);
}

function readV1Words(words: readonly string[], length: number): ProxyHeaderReading {
  const [family, from = "", to = "", fromPort = "", toPort = ""] = words;
  if (family === "UNKNOWN") return { kind: "header", local: false, length };
  if (family !== "TCP4" && family !== "TCP6") return malformed("the PROXY line names another family than TCP4 or TCP6");
  if (words.length !== 5) return malformed("the PROXY line has not five words after PROXY");
  const source = v1Endpoint(family, from, fromPort);
  const destination = v1Endpoint(family, to, toPort);
  if (source === undefined || destination === undefined) return malformed(`the PROXY line has no valid ${family} addresses and ports`);
  return { kind: "header", source, destination, local: false, length };
}

function v1Endpoint(family: "TCP4" | "TCP6", text: string, portText: string): Endpoint | undefined {
  if (text.includes(":") !== (family === "TCP6") || /[[\]%]/.test(text)) return undefined;
  const address = parseIpAddress(text);
  if (address === undefined || !/^(?:0|[1-9]\d{0,4})$/.test(portText) || Number(portText) > 65535) return undefined;
  return { address, port: Number(portText) };
}

function parseV2(bytes: Uint8Array): ProxyHeaderReading {
  if (bytes.length < V2_FIXED) return { kind: "incomplete" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [version, command] = [view.getUint8(12) >> 4, view.getUint8(12) & 15];
  const length = V2_FIXED + view.getUint16(14);
  if (version !== 2) return malformed(`the PROXY header has version ${version}`);
  if (command > 1) return malformed(`the PROXY header has the unknown command ${command}`);
  if (length > MAX_PROXY_HEADER_BYTES) return malformed(`the PROXY header says it is ${length} octets long`);
  if (bytes.length < length) return { kind: "incomplete" };
  if (command === 0) return { kind: "header", local: true, length };
  return readV2Addresses(view, length);
}

/** Octets of both addresses and ports by the octet of family and transport; datagrams make no sense on a TCP connection. */
const V2_BLOCKS = new Map<number, number>([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);

function readV2Addresses(view: DataView, length: number): ProxyHeaderReading {
  const family = view.getUint8(13);
  const block = V2_BLOCKS.get(family);
  if (block === undefined) return malformed(`the PROXY header has the family 0x${family.toString(16).padStart(2, "0")}`);
  if (length < V2_FIXED + block) return malformed("the PROXY header is too short for its addresses");
  if (family === 0x00) return { kind: "header", local: false, length };
  const problem = tlvProblem(view, V2_FIXED + block, length);
  if (problem !== undefined) return malformed(problem);
  if (family === 0x31) return { kind: "header", local: false, length };
  const size = family === 0x11 ? 4 : 16;
  const ports = V2_FIXED + 2 * size;
  const source = { address: addressAt(view, V2_FIXED, size), port: view.getUint16(ports) };
  const destination = { address: addressAt(view, V2_FIXED + size, size), port: view.getUint16(ports + 2) };
  return { kind: "header", source, destination, local: false, length };
}

function addressAt(view: DataView, at: number, size: number): IpAddress {
  if (size === 4) {
    return `${view.getUint8(at)}.${view.getUint8(at + 1)}.${view.getUint8(at + 2)}.${view.getUint8(at + 3)}` as IpAddress; // canonical by making
  }
  const groups: string[] = [];
  for (let group = 0; group < 16; group += 2) groups.push(view.getUint16(at + group).toString(16));
  return parseIpAddress(groups.join(":")) as IpAddress; // eight groups are always an address
}

/** Walks the TLVs: each must fit, and a checksum (CRC-32C over the header with the checksum as zero) must be right. */
function tlvProblem(view: DataView, start: number, end: number): string | undefined {
  for (let at = start; at < end;) {
    if (at + 3 > end) return "the PROXY header ends within a TLV";
    const size = view.getUint16(at + 1);
    if (at + 3 + size > end) return "a TLV of the PROXY header is longer than the header";
    if (view.getUint8(at) === CRC32C_TLV) {
      if (size !== 4) return "the PROXY header's checksum is not four octets long";
      if (crc32c(view, end, at + 3) !== view.getUint32(at + 3)) return "the PROXY header's checksum is wrong";
    }
    at += 3 + size;
  }
  return undefined;
}

/** CRC-32C (RFC 3720 section 12.1) of the first `end` octets, the four at `blank` taken as zero. */
function crc32c(view: DataView, end: number, blank: number): number {
  let crc = 0xffffffff;
  for (let at = 0; at < end; at++) {
    crc ^= at >= blank && at < blank + 4 ? 0 : view.getUint8(at);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
  }
  return ~crc >>> 0;
}

/**
 * A version 2 header that names a client and the address it dialled, or (without addresses) a LOCAL one for connections
 * of the sender's own. When one of the two is IPv6, the other is written in its IPv4-mapped form.
 */
export function proxyHeader(addresses?: { readonly source: Endpoint; readonly destination: Endpoint }): Uint8Array {
  if (addresses === undefined) return header(0x20, 0x00, 0);
  const { source, destination } = addresses;
  const size = ipFamily(source.address) === 4 && ipFamily(destination.address) === 4 ? 4 : 16;
  const bytes = header(0x21, size === 4 ? 0x11 : 0x21, 2 * size + 4);
  writeAddress(bytes, V2_FIXED, source.address, size);
  writeAddress(bytes, V2_FIXED + size, destination.address, size);
  const ports = V2_FIXED + 2 * size;
  bytes[ports] = source.port >> 8;
  bytes[ports + 1] = source.port & 255;
  bytes[ports + 2] = destination.port >> 8;
  bytes[ports + 3] = destination.port & 255;
  return bytes;
}

function header(command: number, family: number, block: number): Uint8Array {
  const bytes = new Uint8Array(V2_FIXED + block);
  bytes.set(SIGNATURE);
  bytes[12] = command;
  bytes[13] = family;
  bytes[15] = block;
  return bytes;
}

function writeAddress(bytes: Uint8Array, at: number, address: IpAddress, size: number): void {
  if (ipFamily(address) === 6) return writeIpv6(bytes, at, address);
  if (size === 16) bytes.fill(0xff, at + 10, at + 12);
  const first = at + size - 4;
  address.split(".").forEach((octet, index) => (bytes[first + index] = Number(octet)));
}

function writeIpv6(bytes: Uint8Array, at: number, address: IpAddress): void {
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const put = (group: string, index: number): void => {
    const value = Number.parseInt(group, 16);
    bytes[at + 2 * index] = value >> 8;
    bytes[at + 2 * index + 1] = value & 255;
  };
  left.forEach(put);
  right.forEach((group, index) => put(group, 8 - right.length + index));
}
