import { resolve } from "node:path";

import { FarmError } from "../base/index.ts";
import { parseEtcdAddress } from "./drivers/etcd/url.ts";

/** Where a farm's store is. */
export type StorePlace =
  /** An absolute path. */
  | { readonly kind: "directory"; readonly root: string }
  /** `url` without the user. */
  | { readonly kind: "etcd"; readonly url: string; readonly user?: string };

const ETCD = /^(etcds?:\/\/)(?:([^/]*)@)?(.*)$/s;
const OTHER = /^[a-z][a-z0-9+.-]*:\/\//i;

/**
 * Reads a directory's path, or `etcd(s)://[USER@]HOST:PORT,HOST:PORT/PREFIX` (`%40` and the like in USER are decoded).
 * @throws STORE_URL_INVALID, never with what could be a password
 */
export function parseStorePlace(text: string): StorePlace {
  const [, scheme, user, rest] = ETCD.exec(text) ?? [];
  if (scheme !== undefined && rest !== undefined) {
    const url = `${scheme}${rest}`;
    parseEtcdAddress(url);
    return { kind: "etcd", url, ...(user === undefined ? {} : { user: userName(user) }) };
  }
  if (text === "") throw invalid("it is empty");
  if (OTHER.test(text)) throw invalid("it is neither a directory nor etcd");
  return { kind: "directory", root: resolve(text) };
}

function userName(text: string): string {
  if (text.includes(":")) throw invalid("it holds a password; name a file that holds it with --store-password-file");
  try {
    const name = decodeURIComponent(text);
    if (name !== "") return name;
  } catch {
    // told below
  }
  throw invalid("the name of its user is empty or not encoded well");
}

const invalid = (problem: string): FarmError =>
  new FarmError(
    "STORE_URL_INVALID",
    `the store's address: ${problem}; it is a directory or etcds://USER@HOST:PORT,HOST:PORT/PREFIX (etcd:// without TLS)`,
  );
