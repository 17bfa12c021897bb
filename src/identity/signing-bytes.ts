import { Buffer } from "node:buffer";

import { instant, type Instant } from "../base/index.ts";

/** What a statement is about; one of a kind is never taken for another. */
export type StatementKind = "request" | "answer" | "revision" | "content" | "drain" | "audit" | "report" | "authority" | "revocation";

/** What somebody of the farm says, before it is signed. */
export interface Statement {
  readonly kind: StatementKind;
  readonly farmId: string;
  /** For whom it is: the name of a node or of a sender; `farm` = for everybody. */
  readonly to: string;
  /** Which one of its kind it is: a revision's number, a request's id and challenge. */
  readonly id: string;
  /** By the signer's clock. */
  readonly issuedAt: Instant;
  /** Until when it may be acted on; undefined = until another one takes its place. */
  readonly notAfter: Instant | undefined;
  readonly body: Uint8Array;
}

/** A statement with everything that its signature covers, and the signature. */
export interface SignedStatement {
  readonly statement: Statement;
  /** DER. */
  readonly certificate: Uint8Array;
  /** The octets that were signed. */
  readonly signed: Uint8Array;
  /** Two numbers of 32 octets (IEEE P1363), so that there is one length and no second way to write one. */
  readonly signature: Uint8Array;
}

/** `CFS` and the version of the form. No JSON text begins so. */
const MAGIC = Uint8Array.of(0x43, 0x46, 0x53, 0x01);
const KINDS: readonly string[] = [
  "request",
  "answer",
  "revision",
  "content",
  "drain",
  "audit",
  "report",
  "authority",
  "revocation",
] satisfies readonly StatementKind[];
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SIGNATURE_BYTES = 64;
const MAX_NAME_BYTES = 256;
const MAX_CERTIFICATE_BYTES = 8 * 1024;
const MAX_BODY_BYTES = 640 * 1024;
const MAX_MS = 8_640_000_000_000_000; // the last moment that a Date has

/** Whether these octets claim to be a statement. */
export const isStatement = (bytes: Uint8Array): boolean => MAGIC.every((octet, index) => bytes[index] === octet);

/**
 * What is signed: the magic, then each field behind its length (four octets, big-endian), in one fixed order, the signer's certificate
 * among them. No field can be read as a part of its neighbour, and there is one way only to write a statement.
 */
export function bytesToSign(statement: Statement, certificate: Uint8Array): Uint8Array {
  const { kind, farmId, to, id, issuedAt, notAfter, body } = statement;
  const texts = [kind, farmId, to, id, String(issuedAt), notAfter === undefined ? "" : String(notAfter)];
  return Buffer.concat([MAGIC, ...[...texts.map((text) => Buffer.from(text, "utf8")), certificate, body].flatMap(withLength)]);
}

/** The whole statement as it is stored. */
export const joinSignature = (signed: Uint8Array, signature: Uint8Array): Uint8Array => Buffer.concat([signed, signature]);

/** Takes a statement apart without believing any of it; undefined = it has another form. */
export function readStatement(bytes: Uint8Array): SignedStatement | undefined {
  if (!isStatement(bytes) || bytes.length < MAGIC.length + SIGNATURE_BYTES) return undefined;
  const signed = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
  const fields = readFields(signed.subarray(MAGIC.length));
  if (fields === undefined) return undefined;
  const head = readHead(fields.texts);
  if (head === undefined) return undefined;
  const { certificate, body } = fields;
  return { statement: { ...head, body }, certificate, signed, signature: bytes.subarray(signed.length) };
}

function readHead([kind = "", farmId = "", to = "", id = "", issued = "", until = ""]: readonly string[]):
  | Omit<Statement, "body">
  | undefined {
  const [issuedAt, notAfter] = [issued, until].map((text) => readMoment(text));
  if (!isKind(kind) || issuedAt === undefined) return undefined;
  return until !== "" && notAfter === undefined ? undefined : { kind, farmId, to, id, issuedAt, notAfter };
}

const LIMITS = [...Array.from({ length: 6 }, () => MAX_NAME_BYTES), MAX_CERTIFICATE_BYTES, MAX_BODY_BYTES];

/** All eight fields and nothing behind them. */
function readFields(
  bytes: Uint8Array,
): { readonly texts: readonly string[]; readonly certificate: Uint8Array; readonly body: Uint8Array } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Uint8Array[] = [];
  let at = 0;
  for (const limit of LIMITS) {
    if (bytes.length - at < 4) return undefined;
    const length = view.getUint32(at);
    if (length > limit || length > bytes.length - at - 4) return undefined;
    fields.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  const [certificate, body] = fields.slice(6);
  if (at !== bytes.length || certificate === undefined || body === undefined) return undefined;
  try {
    return { texts: fields.slice(0, 6).map((field) => UTF8.decode(field)), certificate, body };
  } catch {
    return undefined;
  }
}

/** Decimal milliseconds, written in one way only. */
function readMoment(text: string): Instant | undefined {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const ms = Number(text);
  return ms <= MAX_MS ? instant(ms) : undefined;
}

const isKind = (text: string): text is StatementKind => KINDS.includes(text);

function withLength(field: Uint8Array): readonly Uint8Array[] {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(field.length);
  return [length, field];
}
