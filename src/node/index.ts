/** One server that ends TLS: listeners, live names, binding table, reconcile loop, self-proof, refusal journal. */
export { stayDead } from "./drills/stay-dead.ts";
export { DRILL_NAMES, type DrillName, type DrillOrder, type DrillState } from "./drills/types.ts";
export type { NodeSettings } from "./open-parts.ts";
export type { EvidenceAnswer, ExplainAnswer, ExplainQuestion, NodeRequestMap, RefusalEntry } from "./requests.ts";
export { startNode, type Node } from "./start-node.ts";
