/** Where blobs are kept: immutable octets of any size, named by their SHA-256 (`sha256:<64 hex>`). */
export interface BlobPlace {
  /** For people: the directory, or `s3://BUCKET/PREFIX`. */
  readonly location: string;
  /** Idempotent. What the source throws is thrown on, and nothing is kept. */
  put(source: AsyncIterable<Uint8Array>): Promise<string>;
  /** Never ends short. @throws STORE_UNAVAILABLE when it is absent @throws STORE_CORRUPT when it is not what its name says */
  get(digest: string, options?: { readonly signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>;
  has(digest: string): Promise<boolean>;
  /** All of them, in no order. */
  list(): AsyncIterable<{ readonly digest: string; readonly size: number }>;
  /** Of one that is absent too. */
  remove(digest: string): Promise<void>;
  close(): Promise<void>;
}
