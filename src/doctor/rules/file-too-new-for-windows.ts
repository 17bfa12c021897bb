import { quoted } from "../files/commands.ts";
import { checkUnusableFiles, type FileTrouble } from "../files/unusable-files.ts";
import type { Rule } from "../rule.ts";

/** Windows Server 2019: the first that opens PKCS#12 with AES and a SHA-2 MAC. */
const FIRST_BUILD = 17_763;

/** Older Windows takes a PFX of today for one with a wrong password. */
export const fileTooNewForWindows: Rule = {
  code: "file-too-new-for-windows",
  title: "A PFX is protected in a way that this Windows does not know",
  severity: "error",
  tier: "host",
  source: "https://github.com/openssl/openssl/issues/17777",
  explains:
    "Windows Server 2012 and 2016 open PFX files with 3DES or RC2 and a SHA-1 MAC only. A file with AES-256 and SHA-256, as OpenSSL 3 and Windows Server 2019 write it by " +
    "default, gives `the password you entered is incorrect` there: in a mixed farm the old servers fail for this file and the new ones do not.",
  remedy:
    "Write the file in the form that all of them open: `openssl pkcs12 -export -in chain.pem -inkey key.pem -out www.example.com.pfx -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1`, " +
    "or `Export-PfxCertificate … -CryptoAlgorithmOption TripleDES_SHA1` on Windows Server 2019 and later.",
  check: (view) => checkUnusableFiles(view, TROUBLE),
};

const TROUBLE: FileTrouble = {
  problemOf({ reading }, { make, node }) {
    const system = node.evidence?.system;
    const facts = reading?.facts;
    if (make !== "iis" || system?.build === undefined || system.build >= FIRST_BUILD || facts === undefined) return undefined;
    if (!facts.refusedBy.some((reader) => reader.startsWith("Windows Server"))) return undefined;
    return `it is protected by ${facts.protection.join(" and ")}, which ${system.name} (build ${system.build}) does not open`;
  },
  phrase: ["is protected in a way that older Windows does not open", "are protected in a way that older Windows does not open"],
  remedy: "Write the file in the form that all Windows versions open: 3DES with a SHA-1 MAC.",
  effect: "Every server of the farm opens the file. Its encryption is weaker: the permissions of the share protect it.",
  manual: (file) =>
    `openssl pkcs12 -in ${quoted(file)} -nodes -out all.pem && openssl pkcs12 -export -in all.pem -out new.pfx -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1, ` +
    "put new.pfx in its place and remove all.pem",
  disproved: true,
};
