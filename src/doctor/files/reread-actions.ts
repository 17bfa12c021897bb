import type { HostName } from "../../base/index.ts";
import type { CentralFile } from "../evidence.ts";
import type { RepairAction } from "../finding.ts";
import type { View } from "../view.ts";
import { firstInLine } from "./answering-files.ts";
import { storeSights } from "./store-sights.ts";

/**
 * For each certfarm node that shows for a host what its file does not hold: that it reads its certificates again. Undefined when that
 * would not help every one of these nodes.
 * @param isRight whether the file that is first in line, as it lies in the store, is as it should be
 */
export function rereadActions(
  view: View,
  { nodes, hosts }: { readonly nodes: readonly string[]; readonly hosts: readonly HostName[] },
  isRight: (file: CentralFile) => boolean,
): readonly RepairAction[] | undefined {
  const [host] = hosts;
  if (host === undefined) return undefined;
  const sights = storeSights(view).filter(({ make, node }) => make === "certfarm" && node.evidence?.make === "certfarm");
  const right = nodes.every((node) => {
    const sight = sights.find((each) => each.node.name === node);
    return sight !== undefined && hosts.every((each) => firstInLine(sight, each)?.files.some(isRight) === true);
  });
  if (!right) return undefined;
  return nodes.map((node) => ({ do: "resync", node, part: "certificates", ...(hosts.length === 1 ? { host } : {}) }));
}
