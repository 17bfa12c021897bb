import { exportAgain } from "../files/commands.ts";
import { checkUnusableFiles, type FileTrouble } from "../files/unusable-files.ts";
import type { Rule } from "../rule.ts";

/** A certificate without its key serves nobody. */
export const privateKeyMissing: Rule = {
  code: "private-key-missing",
  title: "A certificate file holds no private key",
  severity: "error",
  tier: "host",
  source: "https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-server-2012-r2-and-2012/dn786445(v=ws.11)",
  explains:
    "The file was exported without its private key, or the key lies in a file of another name. Nothing can be signed with it: Schannel logs event 36869 and resets the connection.",
  remedy:
    "Export it again together with the private key: in the certificate manager `Yes, export the private key`, in PowerShell `Export-PfxCertificate`; a PEM needs its `.key` beside it under the same name.",
  check: (view) => checkUnusableFiles(view, TROUBLE),
};

const TROUBLE: FileTrouble = {
  problemOf: ({ reading }) =>
    reading?.status === "no-key" ? (reading.problem ?? "it holds the certificate without its private key") : undefined,
  phrase: ["holds no private key", "hold no private key"],
  remedy: "Export the certificate again together with its private key.",
  effect: "The hosts of this file are served from it as soon as the nodes see the new file.",
  manual: (file, { make }) => exportAgain(file, make),
};
