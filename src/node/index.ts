/** One server that ends TLS: listeners, live names, binding table, reconcile loop, self-proof, refusal journal. */
export type { NodeSettings } from "./open-parts.ts";
export type { EvidenceAnswer, ExplainAnswer, ExplainQuestion, NodeRequestMap, RefusalEntry } from "./requests.ts";
export { startNode, type Node } from "./start-node.ts";
