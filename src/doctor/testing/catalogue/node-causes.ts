import { iisNode, table } from "../evidence.ts";
import { RESET, served } from "../examination.ts";
import type { CatalogueRow } from "./catalogue-row.ts";

const HOST = "www.example.com";

/** Causes that rules of tier "node" name. */
export const NODE_CAUSES: readonly CatalogueRow[] = [
  {
    cause: 1,
    name: "IIS without a central row: reset after the ClientHello on one server",
    script: {
      cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: RESET } },
      evidence: { web1: iisNode([HOST]), web2: iisNode([HOST], { table: table() }) },
    },
    first: "central-row-missing",
    nodes: ["web2"],
  },
];
