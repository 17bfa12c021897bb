import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

import { LRUCache } from "lru-cache";

import { FarmError } from "../base/index.ts";
import type { Encoding } from "./accept-encoding.ts";
import type { ContentFile } from "./content-view.ts";
import { AnswerHeaders, type FlatHeaders } from "./exchange.ts";

const KIB = 1024;
/** Larger files are streamed from the disk. */
const MAX_PLAIN_BYTES = 64 * KIB;
/** Larger files are sent as they are. */
const MAX_COMPRESSED_BYTES = 1024 * KIB;
const MAX_CACHE_BYTES = 32 * 1024 * KIB;
/** What an entry costs besides its body: header fields, key, map slots. */
const ENTRY_BYTES = 2 * KIB;
/** Files read or compressed at once; more wait for none and are streamed as they are. */
const MAX_LOADING = 8;

const compressBr = promisify(brotliCompress);
const compressGzip = promisify(gzip);

/** A whole representation in memory, ready to be written. */
export class CachedBody {
  readonly etag: string;
  readonly bytes: Buffer;
  readonly #headers: FlatHeaders;
  #extra: FlatHeaders | undefined;
  #whole = new AnswerHeaders([]);

  constructor(etag: string, bytes: Buffer, headers: FlatHeaders) {
    this.etag = etag;
    this.bytes = bytes;
    this.#headers = headers;
  }

  /** All header fields with those of the site; joined once for as long as the site's stay the same array. */
  headersWith(extra: FlatHeaders): AnswerHeaders {
    if (extra !== this.#extra) {
      this.#extra = extra;
      this.#whole = new AnswerHeaders([...this.#headers, ...extra]);
    }
    return this.#whole;
  }
}

/** The strong validator of a representation: of the file's digest, and of the encoding when there is one. */
export const etagOf = (file: ContentFile, encoding: Encoding): string =>
  encoding === "identity" ? `"${file.sha256}"` : `"${file.sha256}-${encoding}"`;

/** Fields of every representation of a file but its length. */
export function representationHeaders(file: ContentFile, encoding: Encoding): FlatHeaders {
  return [
    "Content-Type",
    file.type,
    "ETag",
    etagOf(file, encoding),
    "Last-Modified",
    file.lastModified,
    // Kept by the client but asked about each time: new content shows at once.
    "Cache-Control",
    "no-cache",
    "X-Content-Type-Options",
    "nosniff",
    ...(encoding === "identity" ? ["Accept-Ranges", "bytes"] : ["Content-Encoding", encoding]),
    ...(file.compressible ? ["Vary", "Accept-Encoding"] : []),
  ];
}

/** Small files and compressed forms in memory, bounded. Valid by construction: files of a tree never change. */
export class BodyCache {
  readonly #bodies = new LRUCache<string, CachedBody>({
    maxSize: MAX_CACHE_BYTES,
    sizeCalculation: (body) => body.bytes.length + ENTRY_BYTES,
  });
  readonly #loading = new Map<string, Promise<CachedBody | undefined>>();
  /** Keys of compressed forms that were no smaller than their file. */
  readonly #useless = new LRUCache<string, true>({ max: 4096 });

  /** The body when it is in memory. */
  get(file: ContentFile, encoding: Encoding): CachedBody | undefined {
    return this.#bodies.get(file.keys[encoding]);
  }

  /** What a file is best sent as to a client that takes `wanted`; `stream` = from the disk. */
  form(file: ContentFile, wanted: Encoding): Encoding | "stream" {
    const compressed = wanted !== "identity" && file.compressible && file.size > 0 && file.size <= MAX_COMPRESSED_BYTES;
    if (compressed && this.#useless.get(file.keys[wanted]) === undefined) return wanted;
    return file.size <= MAX_PLAIN_BYTES ? "identity" : "stream";
  }

  /**
   * Reads (and compresses) a file once however many ask. undefined = too many are being read, or compression gains nothing: stream it.
   * @throws CONTENT_DAMAGED; the disk's own errors
   */
  async load(root: string, file: ContentFile, encoding: Encoding): Promise<CachedBody | undefined> {
    const key = file.keys[encoding];
    const running = this.#loading.get(key);
    if (running !== undefined) return running;
    if (this.#loading.size >= MAX_LOADING) return undefined;
    const loading = this.#make(root, file, encoding).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  async #make(root: string, file: ContentFile, encoding: Encoding): Promise<CachedBody | undefined> {
    const key = file.keys[encoding];
    const plain = await readFile(join(root, file.path));
    if (plain.length !== file.size) {
      throw new FarmError("CONTENT_DAMAGED", `${join(root, file.path)} has ${plain.length} bytes instead of ${file.size}`);
    }
    const bytes = await encode(plain, encoding);
    if (encoding !== "identity" && bytes.length >= plain.length) {
      this.#useless.set(key, true);
      return undefined;
    }
    const headers = [...representationHeaders(file, encoding), "Content-Length", String(bytes.length)];
    const body = new CachedBody(etagOf(file, encoding), bytes, headers);
    this.#bodies.set(key, body);
    return body;
  }
}

async function encode(plain: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === "gzip") return compressGzip(plain, { level: 6 });
  if (encoding === "identity") return plain;
  return compressBr(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_SIZE_HINT]: plain.length } });
}
