import { checkMissingFiles, fileNameFor, onNodes } from "../files/missing-files.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";

/** A host without any certificate in the central store. */
export const certificateFileMissing: Rule = {
  code: "certificate-file-missing",
  title: "A host has no certificate file",
  severity: "error",
  tier: "host",
  source:
    "https://learn.microsoft.com/en-us/iis/get-started/whats-new-in-iis-8/iis-80-centralized-ssl-certificate-support-ssl-scalability-and-manageability",
  explains:
    "The host is to be served from the central certificates, and no file there is for it: neither one with its exact name nor one of the wildcard of its left-most label. " +
    "IIS then resets the connection, or a row for any name answers with its own certificate; certfarm refuses with the reason `no-certificate`. Where nodes see different listings, a copy is missing on one of them.",
  remedy:
    "Put the certificate into the folder under the host's name: `www.example.com.pfx`, or `_.example.com.pfx` for `*.example.com`. On certfarm `certfarm certs check FILE` looks at it first. " +
    "If the host is not wanted any more, remove its binding.",
  check: (view) =>
    checkMissingFiles(view, "absent", ({ hosts, nodes, first }) => ({
      summary: `${nameSome(hosts)} ${hosts.length === 1 ? "has" : "have"} no certificate file${onNodes(view, nodes)}`,
      proof: [],
      remedy: `Put a certificate for ${nameSome(hosts)} into the central certificates, e.g. as ${fileNameFor(first.host)}.`,
      effect: "The nodes serve these hosts with the new certificate as soon as they see the file.",
      actions: [
        {
          do: "manual",
          text:
            first.sight.make === "certfarm"
              ? `Copy the certificate file to certificates/ of the store as ${fileNameFor(first.host)}`
              : `Copy the PFX to the folder of the central certificates as ${fileNameFor(first.host)}`,
        },
      ],
    })),
};
