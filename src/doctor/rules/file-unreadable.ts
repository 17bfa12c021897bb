import { quoted } from "../files/commands.ts";
import { checkUnusableFiles, type FileTrouble } from "../files/unusable-files.ts";
import type { Rule } from "../rule.ts";

/** One file of the central certificates is closed to the node's account, or cannot be read at all. */
export const fileUnreadable: Rule = {
  code: "file-unreadable",
  title: "A node cannot read a certificate file",
  severity: "error",
  tier: "host",
  source:
    "https://learn.microsoft.com/en-us/iis/get-started/whats-new-in-iis-8/iis-80-centralized-ssl-certificate-support-ssl-scalability-and-manageability",
  explains:
    "The node's account reads the folder of the central certificates, but not this file: its permissions were set by hand, it was moved in from " +
    "another folder and kept the permissions of its old place, or something holds it open. Only the hosts of this file fail. A certificate that " +
    "the node has in memory goes on being served until the node is restarted or drops it, so nodes may differ for a while.",
  remedy:
    "Let the file inherit the folder's permissions: `icacls FILE /reset` on Windows, `chmod` and `chown` like its neighbours elsewhere. Then certfarm nodes " +
    "read it at once with `certfarm repair`; IIS at its next poll.",
  check: (view) => checkUnusableFiles(view, TROUBLE),
};

const TROUBLE: FileTrouble = {
  problemOf({ access, reading }) {
    if (access === "denied") return "access is denied to the account of the node";
    if (access === "failed") return "it could not be read";
    return reading?.status === "unreadable" ? (reading.problem ?? "it could not be read") : undefined;
  },
  phrase: ["cannot be read", "cannot be read"],
  remedy: "Give the account of the node the right to read the file, best by letting it inherit the folder's permissions.",
  effect: "The hosts of this file are served from it; nothing else changes.",
  manual: (file, { make, node }) =>
    make === "iis"
      ? `icacls ${quoted(file)} /reset, then icacls ${quoted(file)} must show read access for ${node.evidence?.central?.user ?? "the account of the central store"}`
      : `ls -l ${quoted(file)} and its neighbours, then chown and chmod it like them`,
  resync: true,
};
