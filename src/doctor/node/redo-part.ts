import type { RepairAction, ResyncPart } from "../finding.ts";
import type { View } from "../view.ts";

/** A certfarm node does a part of itself again; on a node of another make somebody does what the text says. */
export function redoPart(view: View, node: string, part: ResyncPart, text: string): RepairAction {
  const isCertfarm = view.nodes.some(({ name, evidence }) => name === node && evidence?.make === "certfarm");
  return isCertfarm ? { do: "resync", node, part } : { do: "manual", node, text };
}
