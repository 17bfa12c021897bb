import { quoted } from "../files/commands.ts";
import { checkUnusableFiles, type FileTrouble } from "../files/unusable-files.ts";
import type { Rule } from "../rule.ts";

/** The file's encryption, or the kind of its key, is beyond the reader. */
export const fileUnsupported: Rule = {
  code: "file-unsupported",
  title: "A certificate file uses an algorithm that its reader does not know",
  severity: "error",
  tier: "host",
  source: "https://github.com/nodejs/node/issues/40672",
  explains:
    "The file is protected by an algorithm that the reader does not know, or holds a key of a kind that TLS servers do not use. The classic: a PFX that Windows " +
    "exported with RC2-40 for a reader with OpenSSL 3, which keeps RC2 in its legacy provider; the message is `unsupported` or even `wrong password?`.",
  remedy:
    "Write the file anew with a protection that all readers know: `openssl pkcs12 -legacy -in old.pfx -nodes -out all.pem`, then `openssl pkcs12 -export -in all.pem -out new.pfx`, " +
    "and remove all.pem, which holds the key unencrypted.",
  check: (view) => checkUnusableFiles(view, TROUBLE),
};

const TROUBLE: FileTrouble = {
  problemOf: ({ reading }) =>
    reading?.status === "unsupported-algorithm" ? (reading.problem ?? "it uses an algorithm that is not supported") : undefined,
  phrase: ["uses an algorithm that is not supported", "use an algorithm that is not supported"],
  remedy: "Write the file anew with a protection and a kind of key that its readers know.",
  effect: "The hosts of this file are served from it as soon as the nodes see the new file.",
  manual: (file) =>
    `openssl pkcs12 -legacy -in ${quoted(file)} -nodes -out all.pem && openssl pkcs12 -export -in all.pem -out new.pfx, put new.pfx in its place and remove all.pem`,
};
