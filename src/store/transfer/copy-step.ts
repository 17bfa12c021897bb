import type { FolderName } from "./end.ts";
import type { Verification } from "./verify.ts";

/** What a copy tells while it runs. */
export type CopyStep =
  | { readonly step: "blobs" | "keys" | "verify" }
  | { readonly step: "folder"; readonly folder: FolderName }
  /** Both are the same, checked by digest; changes are followed from here on, if that was asked for. */
  | { readonly step: "level"; readonly verification: Verification };
