import type { Transport } from "../admin/client.ts";
import type { SentContent } from "../replica/index.ts";
import type { FarmKeyOptions } from "../secrets/farm-key-options.ts";
import type { StoreSettings } from "../store/index.ts";
import type { BackupFacts, BackupReport, CopyReport, CopyStep, RestoreReport, StoreCheck } from "../store/whole-store.ts";
import type { IdentityHost } from "./identity-host.ts";

export type { CopyReport, CopyStep, StoreCheck } from "../store/whole-store.ts";

/** Where text goes. */
export interface Terminal {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Columns; undefined = not a terminal. */
  readonly columns: number | undefined;
}

/** What `certfarm up` was told. */
export interface UpArguments {
  readonly farmFile?: string;
  readonly basePort: number;
  readonly demoRoot: string;
  readonly adminPort?: number;
  readonly farmKey: FarmKeyOptions;
  readonly allowDrills?: boolean;
}

/** What `certfarm admin` was told. */
export interface AdminArguments {
  readonly store: StoreSettings;
  readonly farmKey: FarmKeyOptions;
  readonly adminPort: number;
  /** `IP:PORT` where other machines reach it, by HTTPS. */
  readonly adminListen?: string;
  /** Host names that it goes by there. */
  readonly adminName?: readonly string[];
  readonly local: string;
  readonly passwords?: string;
}

/** What is done with a store itself, without a farm that runs. */
export interface StoreVerbs {
  readonly check: (settings: StoreSettings) => Promise<StoreCheck>;
  /** The store of `to` is founded when there is none. */
  readonly copy: (given: {
    readonly from: StoreSettings;
    readonly to: StoreSettings;
    readonly follow: boolean;
    readonly until: AbortSignal;
    readonly onStep: (step: CopyStep) => void;
  }) => Promise<CopyReport>;
  readonly backup: (settings: StoreSettings, file: string) => Promise<BackupReport>;
  /** Puts a folder's files and their manifest into the store's blobs; nobody serves them yet. */
  readonly sendContent: (
    settings: StoreSettings,
    given: { readonly from: string; readonly folder: string; readonly onFile: (done: number, total: number) => void },
  ) => Promise<SentContent>;
  readonly verifyBackup: (file: string) => Promise<BackupFacts>;
  /** The store is founded for the backup's farm when there is none. */
  readonly restore: (
    facts: BackupFacts,
    file: string,
    given: { readonly to: StoreSettings; readonly overwrite: boolean },
  ) => Promise<RestoreReport>;
}

/** What the command line stands on: the process, and what only the composition root can do. */
export interface CliHost {
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: Terminal;
  readonly err: Terminal;
  /** Aborted when the operator presses Ctrl-C. */
  readonly signal: AbortSignal;
  /** Asks on the terminal and waits for yes; undefined = nobody can be asked, because input or error output is no terminal. */
  readonly agree: ((question: string) => Promise<boolean>) | undefined;
  /** `user@machine`. */
  readonly user: string;
  /** Calls that need no farm, done in this process. */
  readonly local: () => Promise<Transport>;
  /** Loaded when it is asked for. */
  readonly identities: () => Promise<IdentityHost>;
  /** Runs a farm until it is told to end. */
  readonly up: (given: UpArguments) => Promise<number>;
  /** Runs an admin API on its own until it is told to end. */
  readonly serveAdmin: (given: AdminArguments) => Promise<number>;
  readonly store: () => Promise<StoreVerbs>;
}
