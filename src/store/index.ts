export type { Change, Entry, FarmStore, FileStat, Folder, Lease, Rev, Store } from "./contract.ts";
