export type { Change, Entry, FarmStore, FileStat, Folder, Lease, Rev, Store } from "./contract.ts";
export { selfTestStore, type SelfTest } from "./self-test.ts";
export { openDirectoryStoreLater } from "./drivers/directory-later.ts";
export { openDirectoryStore, type DirectoryStoreOptions } from "./drivers/directory.ts";
export { createMemoryBacking, createMemoryStore, type MemoryBacking } from "./drivers/memory.ts";
export type { FaultPlan, MemoryCall, MemoryFault } from "./drivers/memory-faults.ts";
export { openEtcdStore, type EtcdStoreOptions } from "./drivers/etcd.ts";
