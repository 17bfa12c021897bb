import { formatEndpoint } from "../../base/index.ts";
import type { ListenerEvidence } from "../evidence.ts";
import type { FindingDraft } from "../finding.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { seenProof } from "../node/host-texts.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { Evident, View } from "../view.ts";

type Listening = Evident<"listeners">;

/** HTTP.sys listens in the name of the kernel; any other process has taken the port from it. */
export const foreignProcessOnPort: Rule = {
  code: "foreign-process-on-port",
  title: "Another process has the port of the web server",
  severity: "error",
  tier: "node",
  source: "https://learn.microsoft.com/en-us/iis/get-started/introduction-to-iis/introduction-to-iis-architecture",
  explains:
    "On Windows the ports of IIS are held by HTTP.sys, which shows as the process System. A port for https that another process holds never reaches IIS: clients meet plain text, another certificate, or nothing.",
  remedy: "On that server: `netstat -abno | findstr :443`; stop the other program or give it another port, then `iisreset`.",
  check(view) {
    const nodes = view.having("listeners").filter(({ evidence }) => evidence.make === "iis");
    if (nodes.length === 0) return withoutEvidence(view, "listeners", ["iis"]);
    return result(nodes.flatMap((node) => node.part.flatMap((listener) => findings(view, node, listener))));
  },
};

function findings(view: View, node: Listening, { endpoint, process }: ListenerEvidence): readonly FindingDraft[] {
  if (process === undefined || /^(?:system|idle)$/i.test(process.trim()) || !isBound(node, endpoint.port)) return [];
  const { name } = node.node;
  const cells = view.cellsOf(name).filter((cell) => cell.endpoint.port === endpoint.port);
  if (cells.some(({ host }) => view.healthy(name, host))) return [];
  const symptoms = view.symptomsOf(name).filter((symptom) => symptom.endpoint.port === endpoint.port);
  const place = formatEndpoint(endpoint);
  const who = shorten(process, 60);
  return [
    {
      summary: `${name}: ${who} has ${place}, not IIS`,
      nodes: [name],
      hosts: [],
      about: place,
      proof: [{ text: `the process that listens on ${place} is ${who}`, source: node.evidence.source }, ...seenProof(symptoms)],
      remedy: `On ${name} stop ${who} or give it another port, then iisreset.`,
      effect: `IIS takes the connections on ${place} again; ${who} does not.`,
      actions: [{ do: "manual", node: name, text: `free ${place} from ${who}, then iisreset` }],
      explains: refsOf(symptoms),
      certainty: "certain",
    },
  ];
}

/** Sites of this node are bound to the port; without bindings the usual one counts. */
function isBound({ evidence: { bindings } }: Listening, port: number): boolean {
  if (bindings === undefined) return port === 443;
  return bindings.bindings.some((binding) => binding.protocol === "https" && binding.port === port);
}
