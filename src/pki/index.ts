/** Reading and issuing certificates: PKCS#12, PEM and X.509 as data. Heavy; callers run it in workers. */
export { canonicalKeyName, canonicalStem, parseFileName, suggestedFileName, type CertificateFileName } from "./certificate-file-name.ts";
export { createAuthority, type Authority, type IssueRequest } from "./issue/authority.ts";
export { makeCertificateRequest, readCertificateRequest } from "./issue/certificate-request.ts";
export { issueIdentity, makeIdentityAuthority, type CertifiedKey } from "./issue/identities.ts";
export { writePfx, type PfxProfile } from "./issue/write-pfx.ts";
export { readCertificateFile } from "./read-certificate-file.ts";
export type { CertificateFacts, FileFacts, FileInput, FileReading, FileStatus, KeyType, PreparedCertificate, ReadLimits } from "./types.ts";
