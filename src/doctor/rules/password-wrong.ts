import type { HostName } from "../../base/index.ts";
import { firstInLine } from "../files/answering-files.ts";
import { exportAgain } from "../files/commands.ts";
import type { StoreSight } from "../files/store-sights.ts";
import { checkUnusableFiles, type FileTrouble } from "../files/unusable-files.ts";
import type { Rule } from "../rule.ts";

/** A PFX whose password is not the one that the farm uses for all of them. */
export const passwordWrong: Rule = {
  code: "password-wrong",
  title: "A certificate file has another password",
  severity: "error",
  tier: "host",
  source:
    "https://learn.microsoft.com/en-us/iis/get-started/whats-new-in-iis-8/iis-80-centralized-ssl-certificate-support-ssl-scalability-and-manageability",
  explains:
    "IIS opens all files of the central store with one password, or with none; certfarm with the passwords it was given. A file that was exported with another password is " +
    "as good as absent: IIS resets the connection, certfarm refuses with a reason. Damage to the file cannot be told apart from a wrong password.",
  remedy:
    "Export the file again with the password of the farm, or give certfarm the file's own password (`certfarm certs check FILE --password-file F` tries one).",
  // A node that opens none of the files its peers open lacks the password: the files are well.
  yieldsTo: ["central-password-differs"],
  check: (view) => checkUnusableFiles(view, TROUBLE),
};

const TROUBLE: FileTrouble = {
  problemOf: ({ reading }) =>
    reading?.status === "wrong-password" ? (reading.problem ?? "no password that is known opens it") : undefined,
  phrase: ["cannot be opened with the password of the farm", "cannot be opened with the password of the farm"],
  remedy: "Export the file again with the password of the farm, or add its own password to those that the farm tries.",
  effect: "The hosts of this file are served from it as soon as the nodes see the new file.",
  manual: (file, { make }) => exportAgain(file, make),
  isBlind: (view, sight) =>
    sight.make === "iis" && view.examination.hosts.some(({ name }) => view.healthy(sight.node.name, name) && isLocked(sight, name)),
  doubtful: ({ make }) =>
    make === "certfarm"
      ? undefined
      : {
          others: ["the doctor was not given the password that the servers use, and the file is well"],
          decides:
            "`certfarm certs check FILE --password-file F` with the password of the central store; the mark beside the file in IIS Manager",
        },
};

/** A file that serves well and that the doctor cannot open: then it is the doctor that lacks the password. */
const isLocked = (sight: StoreSight, host: HostName): boolean =>
  firstInLine(sight, host)?.files.every(({ reading }) => reading?.status === "wrong-password") === true;
