/**
 * What is done with a store as a whole. Apart from the room's index, because no process that serves needs it: it would be read at each start.
 */
export { checkStore } from "./check/check-store.ts";
export type { StoreCheck } from "./check/types.ts";
export { backupStore, type BackupReport } from "./transfer/backup.ts";
export { copyStore, type CopyReport } from "./transfer/copy.ts";
export type { CopyStep } from "./transfer/copy-step.ts";
export { openTransferEnd } from "./transfer/open-end.ts";
export { restoreStore, verifyBackup, type BackupFacts, type RestoreReport } from "./transfer/restore.ts";
