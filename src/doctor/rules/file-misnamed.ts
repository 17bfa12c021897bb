import { quoted } from "../files/commands.ts";
import { checkMissingFiles, fileNameFor, onNodes } from "../files/missing-files.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";

/** The certificate is there, and its file has a name that no server looks for. */
export const fileMisnamed: Rule = {
  code: "file-misnamed",
  title: "A certificate file has a name that nobody looks for",
  severity: "error",
  tier: "host",
  source: "https://github.com/win-acme/win-acme/issues/920",
  explains:
    "The servers find a certificate by the file's name alone: `www.example.com.pfx`, `_.example.com.pfx` for the wildcard. A file in a sub-folder, one with `*.` or `-all` in its name, a second extension, " +
    "a note of a copy, a missing `www.`, or on IIS another extension than `.pfx`, is never looked for. The host fails on all nodes although the certificate is there.",
  remedy: "Rename the file to the host's name, or copy it under each name that its certificate is to serve.",
  check: (view) =>
    checkMissingFiles(view, "misnamed", ({ hosts, nodes, first }) => {
      const name = first.file?.name ?? "";
      const leaf = first.file?.reading?.facts?.leaf;
      const wanted = fileNameFor(first.host);
      return {
        summary: `${name} is not found for ${nameSome(hosts)}${onNodes(view, nodes)}: its name must be ${hosts.length === 1 ? wanted : "each host's"}`,
        proof: [
          {
            text: `${name} is there${leaf === undefined ? "" : `, and its certificate names ${nameSome(leaf.dnsNames)}`}`,
            source: first.sight.source,
          },
        ],
        remedy: `Copy ${name} to ${nameSome(hosts.map(fileNameFor))} in the folder of the central certificates.`,
        effect: `${nameSome(hosts)} ${hosts.length === 1 ? "is" : "are"} served from the file; nothing else changes.`,
        actions: hosts.slice(0, 5).map((host) => ({ do: "manual", text: `Copy-Item ${quoted(name)} ${quoted(fileNameFor(host))}` })),
      };
    }),
};
