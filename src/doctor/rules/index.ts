import type { Rule } from "../rule.ts";
import { centralFeatureMissing } from "./central-feature-missing.ts";
import { centralRowMissing } from "./central-row-missing.ts";
import { centralStoreCredential } from "./central-store-credential.ts";
import { centralStoreDisabled } from "./central-store-disabled.ts";
import { centralStoreLocationDiffers } from "./central-store-location-differs.ts";
import { centralStoreUnreachable } from "./central-store-unreachable.ts";
import { certificateFileMissing } from "./certificate-file-missing.ts";
import { certificateLacksHost } from "./certificate-lacks-host.ts";
import { fileDamaged } from "./file-damaged.ts";
import { fileMisnamed } from "./file-misnamed.ts";
import { fileTooNewForWindows } from "./file-too-new-for-windows.ts";
import { fileUnreadable } from "./file-unreadable.ts";
import { fileUnsupported } from "./file-unsupported.ts";
import { idnFileName } from "./idn-file-name.ts";
import { ipRowShadows } from "./ip-row-shadows.ts";
import { keyMismatch } from "./key-mismatch.ts";
import { passwordWrong } from "./password-wrong.ts";
import { privateKeyMissing } from "./private-key-missing.ts";
import { sanCopyMissing } from "./san-copy-missing.ts";
import { staleCertificate } from "./stale-certificate.ts";
import { wildcardDepth } from "./wildcard-depth.ts";

/** Every rule, in the order of their codes. `npm run new:rule CODE` adds one. */
export const RULES: readonly Rule[] = [
  centralFeatureMissing,
  centralRowMissing,
  centralStoreCredential,
  centralStoreDisabled,
  centralStoreLocationDiffers,
  centralStoreUnreachable,
  certificateFileMissing,
  certificateLacksHost,
  fileDamaged,
  fileMisnamed,
  fileTooNewForWindows,
  fileUnreadable,
  fileUnsupported,
  idnFileName,
  ipRowShadows,
  keyMismatch,
  passwordWrong,
  privateKeyMissing,
  sanCopyMissing,
  staleCertificate,
  wildcardDepth,
];
