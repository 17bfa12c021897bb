/** Causes of the catalogue in scope that no examination tells, and why: number → reason. */
export const NOT_TOLD_APART: ReadonlyMap<number, string> = new Map([
  [
    44,
    "a balancer's own health probe that fails: its settings are no evidence, and the nodes are well; it looks like a node out of rotation",
  ],
  [45, "distribution that hides a fault is no fault of its own: every node is dialled, so what it hides is named itself"],
  [56, "revocation checks of client certificates that cannot leave the node: the doctor presents no client certificate"],
  [60, "names that share a connection over HTTP/2: each host is dialled on a connection of its own"],
  [67, "a client that dials an IP address sends no SNI: the same to a server as every client without it (cause 41)"],
]);
