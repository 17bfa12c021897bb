import { quoted } from "../files/commands.ts";
import { checkMissingFiles, fileNameFor, onNodes } from "../files/missing-files.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";

/** IIS looks for international names in Unicode, composed. */
export const idnFileName: Rule = {
  code: "idn-file-name",
  title: "The file of an international name is spelled in a way that IIS does not find",
  severity: "error",
  tier: "host",
  source: "https://github.com/win-acme/win-acme/issues/2434",
  explains:
    "IIS turns the A-label of a name (`xn--bcher-kva.example`) into Unicode and looks for `bücher.example.pfx`. A file named with the A-label, or with decomposed letters as macOS and some tools write them, is not found: only international names fail, on every IIS node. certfarm finds all spellings.",
  remedy: "Keep a copy under the Unicode name, composed (NFC). A copy under the A-label does no harm.",
  check: (view) =>
    checkMissingFiles(view, "idn", ({ hosts, nodes, first }) => {
      const name = first.file?.name ?? "";
      const decomposed = name !== name.normalize("NFC");
      return {
        summary: `IIS does not find ${name} for ${nameSome(hosts)}${onNodes(view, nodes)}`,
        proof: [
          {
            text: decomposed ? `${name} is there, its letters decomposed (NFD)` : `${name} is there under its A-label`,
            source: first.sight.source,
          },
        ],
        remedy: `Copy ${name} to ${fileNameFor(first.host)}, written with composed letters.`,
        effect: `${nameSome(hosts)} ${hosts.length === 1 ? "is" : "are"} served from the file; nothing else changes.`,
        actions: [{ do: "manual", text: `Copy-Item ${quoted(name)} ${quoted(fileNameFor(first.host))}` }],
      };
    }),
};
