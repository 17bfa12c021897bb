import { formatEndpoint, type Endpoint } from "../../base/index.ts";
import type { ListenerEvidence } from "../evidence.ts";
import type { FindingDraft, Symptom } from "../finding.ts";
import { refsOf } from "../node/central-symptoms.ts";
import { seenProof } from "../node/host-texts.ts";
import { silentNodes } from "../node/silent-nodes.ts";
import { result, withoutEvidence } from "../node/rule-results.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";
import type { Evident, View } from "../view.ts";
import { groupBy } from "../group-by.ts";

type Listening = Evident<"listeners">;

/** What the node says of its ports, laid beside what was seen from outside. */
export const portNotOpen: Rule = {
  code: "port-not-open",
  title: "A node does not take connections on a port",
  severity: "error",
  tier: "node",
  source: "https://datatracker.ietf.org/doc/html/rfc9293#section-3.5.2",
  explains:
    "From outside the connection is refused or not answered. The node's own list of listening ports tells why: it does not listen there (the service is stopped, or the port is taken), or it does, and a firewall on the way stops the connection.",
  remedy:
    "Not listening: start the service, free the port; certfarm says the reason in `certfarm status`. Listening: let the port through the firewall of the node and of the network (`Get-NetFirewallRule`, `nft list ruleset`, security groups).",
  check(view) {
    const nodes = view.having("listeners");
    if (nodes.length === 0) return withoutEvidence(view, "listeners", ["iis", "certfarm", "nginx", "haproxy"]);
    const silent = silentNodes(view);
    return result(nodes.filter(({ node }) => !silent.has(node.name)).flatMap((node) => [...failed(view, node), ...closed(view, node)]));
  },
};

const isNoConnection = ({ kind }: Symptom): boolean => kind === "no-connection";

/** Listeners that the node could not open. */
function failed(view: View, { node: { name }, part }: Listening): readonly FindingDraft[] {
  return part.flatMap((listener) => {
    if (listener.problem === undefined || listener.protocol !== "https") return [];
    const symptoms = view.symptomsOf(name).filter((symptom) => isNoConnection(symptom) && symptom.endpoint.port === listener.endpoint.port);
    const place = formatEndpoint(listener.endpoint);
    return [
      {
        ...words(name, `${name} cannot listen on ${place}`),
        about: place,
        proof: [{ text: shorten(listener.problem), source: `node ${name}` }, ...seenProof(symptoms)],
        remedy: `On ${name} free ${place} or give the binding another port: ${shorten(listener.problem)}`,
        actions: [{ do: "resync", node: name, part: "listeners" }],
        explains: refsOf(symptoms),
        certainty: "certain",
      } as const,
    ];
  });
}

/** Endpoints on which no connection came about, though no listener tells of a problem. */
function closed(view: View, { node: { name }, evidence, part }: Listening): readonly FindingDraft[] {
  const told = new Set(part.filter(({ problem }) => problem !== undefined).map(({ endpoint }) => endpoint.port));
  const groups = groupBy(
    view.symptomsOf(name).filter((symptom) => isNoConnection(symptom) && !told.has(symptom.endpoint.port)),
    ({ endpoint }) => formatEndpoint(endpoint),
  );
  return [...groups].flatMap(([place, symptoms]) => {
    const [first] = symptoms;
    const connected = view.cellsOf(name).some((cell) => formatEndpoint(cell.endpoint) === place && connects(cell.probes.sni?.outcome.kind));
    if (first === undefined || connected) return [];
    const listens = part.some((listener) => listensAt(listener, first.endpoint));
    return [
      {
        ...words(name, listens ? `${name} listens on ${place}, but connections do not arrive` : `${name} does not listen on ${place}`),
        about: place,
        proof: [
          {
            text: listens ? `a listener on port ${first.endpoint.port} is there` : `no listener on port ${first.endpoint.port}`,
            source: evidence.source,
          },
          ...seenProof(symptoms),
        ],
        remedy: listens
          ? `Let port ${first.endpoint.port} through the firewalls on the way to ${name}.`
          : `Start the service on ${name}, and see why it does not listen on ${place}.`,
        actions: [
          {
            do: "manual",
            node: name,
            text: listens ? `let port ${first.endpoint.port} through the firewall` : `start the service that listens on ${place}`,
          },
        ],
        explains: refsOf(symptoms),
        ...(listens
          ? { certainty: "likely", others: [`${place} leads to another machine`], decides: `a connection to ${place} from ${name} itself` }
          : { certainty: "certain" }),
      } as const,
    ];
  });
}

const words = (name: string, summary: string) => ({
  summary,
  nodes: [name],
  hosts: [],
  effect: "The port takes connections; what is served on it shows in the next run.",
});

const connects = (kind: string | undefined): boolean => kind !== undefined && kind !== "refused" && kind !== "timeout";

function listensAt({ endpoint }: ListenerEvidence, { address, port }: Endpoint): boolean {
  const any = endpoint.address === "0.0.0.0" || endpoint.address === "::";
  // An address that is translated on the way is none of the node's own.
  return endpoint.port === port && (any || endpoint.address === address || !isLoopback(endpoint));
}

const isLoopback = ({ address }: Endpoint): boolean => address.startsWith("127.") || address === "::1";
