import type { Instant } from "../base/index.ts";
import type { FileReading, ReadLimits } from "../pki/index.ts";

/** What a reading worker is asked. Secrets travel as text by message only, never by argument or environment. */
export interface ReadRequest {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly keyBytes?: Uint8Array;
  readonly passwords: readonly string[];
  readonly now: Instant;
  readonly limits?: Partial<ReadLimits>;
}

/** A FileReading without its Secret, which does not survive being copied between threads. */
export interface WireReading extends Omit<FileReading, "prepared"> {
  readonly prepared?: { readonly chainPem: string; readonly keyPem: string };
}

/** What a worker says: once that it is ready, then an answer a request; `failed` when reading threw, which it should not. */
export type ReadAnswer =
  | { readonly ready: true }
  | { readonly id: number; readonly reading: WireReading }
  | { readonly id: number; readonly failed: string };
