import { formatEndpoint, type HostName } from "../../base/index.ts";
import type { Cell } from "../examination.ts";
import { endpointKey, type View } from "../view.ts";
import { balancerCauseOf, factsBehind } from "./balancer-cause-of.ts";
import { causeOf, type WireCause } from "./cause-of.ts";
import { endpointFacts, type EndpointFacts } from "./endpoint-facts.ts";
import { groupBy } from "../group-by.ts";

/** An ill cell with its cause. */
export interface Suspect {
  readonly cell: Cell;
  readonly cause: WireCause;
}

const known = new WeakMap<View, readonly Suspect[]>();

/** Every cell that is still unexplained, with the one cause that speaks for it; worked out once for a view. */
export function suspectsOf(view: View): readonly Suspect[] {
  const before = known.get(view);
  if (before !== undefined) return before;
  const behind = view.balancers.length === 0 || view.nodes.length === 0 ? undefined : factsBehind(view);
  const balancer: CauseOf = (cell, facts) => {
    if (behind === undefined) return causeOf(cell, facts);
    return allServe(view, cell.host) ? balancerCauseOf(cell, facts, behind) : undefined;
  };
  const suspects = [
    ...view.nodes.flatMap(({ name }) => ofNode(view, name, causeOf)),
    ...view.balancers.flatMap(({ name }) => ofNode(view, name, balancer)),
  ];
  known.set(view, suspects);
  return suspects;
}

const allServe = (view: View, host: HostName): boolean => view.cellsFor(host).every(({ node }) => view.healthy(node, host));

type CauseOf = (cell: Cell, facts: EndpointFacts) => WireCause | undefined;

function ofNode(view: View, node: string, cause: CauseOf): readonly Suspect[] {
  const left = new Set(view.symptomsOf(node).map(endpointKey));
  if (left.size === 0) return [];
  return endpointsOf(view, node).flatMap((facts) =>
    facts.cells.flatMap((cell) => {
      const found = left.has(endpointKey(cell)) ? cause(cell, facts) : undefined;
      return found === undefined ? [] : [{ cell, cause: found }];
    }),
  );
}

/** The cells of a node, endpoint by endpoint. */
function endpointsOf(view: View, node: string): readonly EndpointFacts[] {
  const listeners = view.nodes.find(({ name }) => name === node)?.evidence?.listeners ?? [];
  const headed = new Set(listeners.filter(({ proxyProtocol }) => proxyProtocol === true).map(({ endpoint }) => endpoint.port));
  return [...groupBy(view.cellsOf(node), ({ endpoint }) => formatEndpoint(endpoint)).values()].map((cells) =>
    endpointFacts(cells, headed.has(cells[0]?.endpoint.port ?? 0)),
  );
}
