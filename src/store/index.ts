export type { Change, Entry, FarmStore, FileStat, Folder, Lease, Rev, Store } from "./contract.ts";
export { openDirectoryStore, type DirectoryStoreOptions } from "./drivers/directory.ts";
export { createMemoryBacking, createMemoryStore, type MemoryBacking } from "./drivers/memory.ts";
export type { FaultPlan, MemoryCall, MemoryFault } from "./drivers/memory-faults.ts";
