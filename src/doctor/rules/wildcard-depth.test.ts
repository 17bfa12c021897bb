import { expect, test } from "vitest";

import { centralFile } from "../testing/evidence.ts";
import { RESET, served, wrong, type Script } from "../testing/examination.ts";
import { iisFarm, SHOP_FILE, SHOP_WELL } from "../testing/file-scripts.ts";
import { told } from "../testing/wire-scripts.ts";
import { wildcardDepth } from "./wildcard-depth.ts";

const DEEP = "a.b.example.com";
const wildcard = centralFile("_.example.com.pfx");
const shown = wrong("*.example.com");

const rows: [string, Script, string[]][] = [
  ["cannot look at nothing", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: SHOP_WELL } }, ["passed"]],
  ["passes on a name of the wildcard's own level", iisFarm([SHOP_FILE, wildcard], [RESET, RESET]), ["passed"]],
  [
    "names the file for a name two levels below",
    iisFarm([SHOP_FILE, wildcard], [RESET, RESET], DEEP),
    ["error, certain: a.b.example.com is not covered by _.example.com.pfx: a wildcard stands for one label"],
  ],
  [
    "names the file for the domain itself",
    iisFarm([SHOP_FILE, wildcard], [RESET, RESET], "example.com"),
    ["error, certain: example.com is not covered by _.example.com.pfx: a wildcard stands for one label"],
  ],
  [
    "sees it on the wire",
    { cells: { web1: { [DEEP]: shown }, web2: { [DEEP]: shown } } },
    ["error, certain: a.b.example.com gets a certificate for *.example.com from web1 and web2: a wildcard stands for one label"],
  ],
  [
    "is not sure when other nodes serve the name well",
    { cells: { web1: { [DEEP]: served(DEEP) }, web2: { [DEEP]: shown } } },
    ["error, likely: a.b.example.com gets a certificate for *.example.com from web2: a wildcard stands for one label"],
  ],
  ["says nothing of a certificate for another domain", { cells: { web1: { [DEEP]: wrong("*.example.org") } } }, ["passed"]],
  [
    "tells it once when file and wire say the same",
    iisFarm([SHOP_FILE, wildcard], [shown, shown], DEEP),
    ["error, certain: a.b.example.com is not covered by _.example.com.pfx: a wildcard stands for one label"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(wildcardDepth, script)).toEqual(expected);
});
