export type { CentralCertificates, CertificateChange, FileListing, FileReport } from "./types.ts";
