/** The central certificates: files named by host, read on demand, followed as they change. */
export { openCentralCertificates, type CentralSettings } from "./central.ts";
export { type CertificateLimits } from "./central-state.ts";
export { checkCertificateFiles, checkFiles, type CheckedFile, type CheckSettings, type NamedBytes } from "./check-files.ts";
export type { FollowSettings } from "./follow.ts";
export { openKeptCopies, type KeptCopies, type KeptSettings } from "./keep.ts";
export { listCertificates, type ListSettings } from "./list-certificates.ts";
export { readCertificate } from "./read-certificate.ts";
export { possibleFiles } from "./possible-files.ts";
export { fixedPasswords, noPasswords, openPasswords, type PasswordSettings, type PasswordSource } from "./passwords.ts";
export { withSharedPasswords } from "./shared-passwords.ts";
export type { WorkerSettings } from "./reading-pool.ts";
export type { ScanSettings } from "./scan.ts";
export type { CentralCertificates, CertificateChange, FileListing, FileReport, ScanProgress } from "./types.ts";
