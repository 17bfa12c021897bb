import { quoted } from "../files/commands.ts";
import { checkMissingFiles, fileNameFor, onNodes } from "../files/missing-files.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";

/** A certificate for several names, and files for only some of them. */
export const sanCopyMissing: Rule = {
  code: "san-copy-missing",
  title: "A certificate for several names lacks the file of one of them",
  severity: "error",
  tier: "host",
  source: "https://github.com/win-acme/win-acme/blob/master/src/main.lib/Plugins/StorePlugins/CentralSsl/CentralSsl.cs",
  explains:
    "IIS takes a certificate by the name of its file and does not look into it. A certificate for several names must be there once under each of them; a name without its copy fails, whatever the certificate says. certfarm needs no copies: it finds certificates by the names in them, too.",
  remedy: "Copy the file under every name of the certificate that the farm serves, all of them whenever it is renewed.",
  check: (view) =>
    checkMissingFiles(view, "copy-missing", ({ hosts, nodes, first }) => {
      const name = first.file?.name ?? "";
      return {
        summary: `${nameSome(hosts)} ${hosts.length === 1 ? "has" : "have"} no copy of the certificate in ${name}${onNodes(view, nodes)}`,
        proof: [
          {
            text: `the certificate in ${name} names ${nameSome(first.file?.reading?.facts?.leaf.dnsNames ?? [], 5)}`,
            source: first.sight.source,
          },
        ],
        remedy: `Copy ${name} to ${nameSome(hosts.map(fileNameFor))} in the folder of the central certificates.`,
        effect: `${nameSome(hosts)} ${hosts.length === 1 ? "is" : "are"} served with this certificate; nothing else changes.`,
        actions: hosts.slice(0, 5).map((host) => ({ do: "manual", text: `Copy-Item ${quoted(name)} ${quoted(fileNameFor(host))}` })),
      };
    }),
};
