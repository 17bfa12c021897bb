import { resolve } from "node:path";

import { FarmError } from "../base/index.ts";
import { parseStorePlace } from "./store-place.ts";

/** Where a farm's store is and how it is entered, as plain data without any secret. */
export interface StoreSettings {
  /** An absolute path, or the address of etcd, which may name the user. */
  readonly place: string;
  /** Files by absolute path: the password of etcd's user, the authority of its members, the client's certificate and key. PEM. */
  readonly passwordFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  /** Where blobs are: an absolute path, or `s3://BUCKET[/PREFIX]`. Absent: in a directory store within it, with etcd nowhere. */
  readonly blobs?: string;
}

/** An option of every command that enters a store itself. */
export interface StoreOption {
  readonly name: keyof StoreSettings;
  /** Without the two dashes. */
  readonly flag: string;
  readonly value: string;
  readonly environment: string;
  readonly help: string;
}

/** The options that say where the store is: the same for nodes, balancers, the admin API and every verb that enters a store. */
export const STORE_OPTIONS: readonly StoreOption[] = [
  {
    name: "place",
    flag: "store",
    value: "place",
    environment: "CERTFARM_STORE",
    help: "the farm's store: a directory, or etcds://USER@HOST:PORT,HOST:PORT/PREFIX (etcd:// without TLS)",
  },
  {
    name: "passwordFile",
    flag: "store-password-file",
    value: "file",
    environment: "CERTFARM_STORE_PASSWORD_FILE",
    help: "file whose first line is the password of etcd's user",
  },
  {
    name: "caFile",
    flag: "store-ca",
    value: "file",
    environment: "CERTFARM_STORE_CA",
    help: "PEM file of the authority that signed the certificates of etcd's members",
  },
  {
    name: "certFile",
    flag: "store-cert",
    value: "file",
    environment: "CERTFARM_STORE_CERT",
    help: "PEM file of the certificate to show to etcd",
  },
  { name: "keyFile", flag: "store-key", value: "file", environment: "CERTFARM_STORE_KEY", help: "PEM file of that certificate's key" },
  {
    name: "blobs",
    flag: "blobs",
    value: "place",
    environment: "CERTFARM_BLOBS",
    help: "where web content and other large data is kept: a directory, or s3://BUCKET/PREFIX",
  },
];

const ETCD_ONLY: readonly (keyof StoreSettings)[] = ["passwordFile", "caFile", "certFile", "keyFile"];

const camelCase = (flag: string): string => flag.replaceAll(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());

/**
 * The settings that options and the environment give; an option wins. Options are found by their flag, also in camel case, as commander
 * names them. undefined = no store was named. @throws STORE_URL_INVALID @throws USAGE for options that do not fit together
 */
export function readStoreSettings(
  given: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): StoreSettings | undefined {
  const told = new Map<keyof StoreSettings, string>();
  for (const { name, flag, environment: variable } of STORE_OPTIONS) {
    const value = given[flag] ?? given[camelCase(flag)] ?? environment[variable];
    if (typeof value === "string" && value !== "") told.set(name, value);
  }
  const place = told.get("place");
  if (place === undefined) return undefined;
  const parsed = parseStorePlace(place);
  requireFit(parsed.kind, told);
  if (parsed.kind === "etcd") requirePassword(place, parsed.user, told.get("passwordFile"));
  const settings: Partial<Record<keyof StoreSettings, string>> = { place: parsed.kind === "directory" ? parsed.root : place };
  for (const name of ETCD_ONLY) {
    const file = told.get(name);
    if (file !== undefined) settings[name] = resolve(file);
  }
  const blobs = told.get("blobs");
  if (blobs !== undefined) settings.blobs = blobsPlace(blobs);
  return settings as StoreSettings; // `place` is there, the others may be absent
}

/** An address stays as it is, a path becomes absolute. */
const blobsPlace = (blobs: string): string => (/^[a-z0-9+.-]+:\/\//i.test(blobs) ? blobs : resolve(blobs));

/** A user and a password file go together. @throws STORE_URL_INVALID */
export function requirePassword(place: string, user: string | undefined, passwordFile: string | undefined): void {
  if ((user === undefined) === (passwordFile === undefined)) return;
  const problem =
    user === undefined
      ? "a password file is given but no user; write etcds://USER@…"
      : "a user is named but no password file; give --store-password-file";
  throw new FarmError("STORE_URL_INVALID", `the store ${place}: ${problem}`);
}

function requireFit(kind: "directory" | "etcd", told: ReadonlyMap<keyof StoreSettings, string>): void {
  const flagsOf = (names: readonly (keyof StoreSettings)[]): string =>
    STORE_OPTIONS.filter(({ name }) => names.includes(name))
      .map(({ flag }) => `--${flag}`)
      .join(", ");
  const foreign = kind === "directory" ? ETCD_ONLY.filter((name) => told.has(name)) : [];
  if (foreign.length > 0) throw new FarmError("USAGE", `${flagsOf(foreign)} is for a store in etcd; the store is a directory`);
  if (told.has("certFile") === told.has("keyFile")) return;
  throw new FarmError("USAGE", `${flagsOf(["certFile", "keyFile"])} go together: a certificate and its key`);
}
