import { expect, test } from "vitest";

import type { CentralFile, NodeEvidence } from "../evidence.ts";
import { centralStore, iisNode } from "../testing/evidence.ts";
import { at, digestOf, RESET, served, type CellScript, type Script } from "../testing/examination.ts";
import { fileWith, FORMER, holding, share, SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { replicaBehind } from "./replica-behind.ts";

const old = (changes: Partial<CentralFile> = {}): CentralFile =>
  holding(`${HOST}.pfx`, "former", { notBefore: at(-100), notAfter: at(5) }, { modifiedAt: at(-100), ...changes });
const farm = (files: readonly CentralFile[], second: CellScript, changes: Partial<NodeEvidence> = {}, fresh = fileWith("ok")): Script => ({
  cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: second } },
  evidence: {
    web1: iisNode([HOST], { central: centralStore([fresh]) }),
    web2: iisNode([HOST], { central: centralStore(files), ...changes }),
  },
});
const unread = ({ reading: _reading, ...file }: CentralFile): CentralFile => file;

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["does not apply to one listing alone", { evidence: { web1: iisNode([HOST]) } }, ["not-applicable"]],
  ["passes when listings are alike", farm([fileWith("ok")], served(HOST)), ["passed"]],
  [
    "names the node with the older file",
    farm([old()], FORMER),
    ["error, certain: web2 has an older file for www.example.com: its copy of the store is behind"],
  ],
  [
    "tells it by digest and date when nothing was opened",
    farm([unread(old())], FORMER, {}, unread(fileWith("ok"))),
    ["error, certain: web2 has an older file for www.example.com: its copy of the store is behind"],
  ],
  [
    "warns when clients do not see it yet",
    farm([old()], served(HOST)),
    ["warning, certain: web2 has an older file for www.example.com: its copy of the store is behind"],
  ],
  [
    "names the node without the file",
    farm([], RESET),
    ["error, certain: web2 has no file for www.example.com: its copy of the store is behind"],
  ],
  [
    "is a notice while replication may still run",
    farm([old()], FORMER, {}, fileWith("ok", { modifiedAt: at(-1 / 1_440) })),
    ["notice, certain: web2 has an older file for www.example.com: its copy of the store is behind"],
  ],
  ["does not compare evidence from before the change", farm([old()], FORMER, { at: at(-40) }), ["passed"]],
  [
    "does not take the same certificate in another file for older",
    farm([fileWith("ok", { digest: digestOf("exported again"), modifiedAt: at(-60) })], served(HOST)),
    ["passed"],
  ],
  [
    "compares one node with the store itself",
    { ...farm([old()], FORMER), evidence: { web2: iisNode([HOST], { central: centralStore([old()]) }) }, changes: share(fileWith("ok")) },
    ["error, certain: web2 has an older file for www.example.com: its copy of the store is behind"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(replicaBehind, script)).toEqual(expected);
});
