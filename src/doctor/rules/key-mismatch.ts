import { exportAgain } from "../files/commands.ts";
import { checkUnusableFiles, type FileTrouble } from "../files/unusable-files.ts";
import type { Rule } from "../rule.ts";

/** Certificate and key of the file do not belong together. */
export const keyMismatch: Rule = {
  code: "key-mismatch",
  title: "The key in a file is not the certificate's",
  severity: "error",
  tier: "host",
  source: "https://www.rfc-editor.org/rfc/rfc8446#section-4.4.3",
  explains:
    "The private key in the file belongs to another certificate, mostly because a renewal made a new key and only one of the two was replaced. The handshake cannot be signed: it is aborted, often with the alert handshake_failure or decrypt_error.",
  remedy:
    "Put the key that the certificate was issued for into the file, or have the certificate issued again for this key. `openssl x509 -in cert.pem -noout -pubkey` and `openssl pkey -in key.pem -pubout` must print the same.",
  check: (view) => checkUnusableFiles(view, TROUBLE),
};

const TROUBLE: FileTrouble = {
  problemOf: ({ reading }) =>
    reading?.status === "key-mismatch" ? (reading.problem ?? "its key does not belong to its certificate") : undefined,
  phrase: ["holds a key that is not its certificate's", "hold keys that are not their certificates'"],
  remedy: "Put the key that the certificate was issued for into the file, or have the certificate issued again for this key.",
  effect: "The hosts of this file are served from it as soon as the nodes see the new file.",
  manual: (file, { make }) => exportAgain(file, make),
};
