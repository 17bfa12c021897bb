import { expect, test } from "vitest";

import type { SystemEvidence } from "../evidence.ts";
import { centralFile, centralStore, fileFacts, fileReading, iisNode } from "../testing/evidence.ts";
import { RESET, served, type CellScript, type Script } from "../testing/examination.ts";
import { SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { fileTooNewForWindows } from "./file-too-new-for-windows.ts";

const modern = centralFile(`${HOST}.pfx`, {
  reading: fileReading(HOST, "ok", {
    facts: fileFacts(HOST, { protection: ["PBES2 AES-256-CBC"], refusedBy: ["Windows Server 2012", "Windows Server 2016"] }),
  }),
});
const system = (name: string, build: number): SystemEvidence => ({ source: "system", name, version: `10.0.${build}`, build });
const farm = (second: CellScript, old = system("Windows Server 2016", 14_393), file = modern): Script => ({
  cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: second } },
  evidence: {
    web1: iisNode([HOST], { central: centralStore([file]) }),
    web2: iisNode([HOST], { central: centralStore([file]), system: old }),
  },
});

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  [
    "names the old server alone",
    farm(RESET),
    ["error, certain: www.example.com.pfx is protected in a way that older Windows does not open on web2"],
  ],
  [
    "knows Windows Server 2012",
    farm(RESET, system("Windows Server 2012", 9_200)),
    ["error, certain: www.example.com.pfx is protected in a way that older Windows does not open on web2"],
  ],
  ["passes on Windows Server 2019", farm(RESET, system("Windows Server 2019", 17_763)), ["passed"]],
  ["passes when the old server shows this very certificate", farm(served(HOST)), ["passed"]],
  ["passes on a file in the old form", farm(RESET, undefined, centralFile(`${HOST}.pfx`)), ["passed"]],
  [
    "warns before anybody asks for the host",
    { ...farm(RESET), cells: {}, hosts: [HOST] },
    ["error, certain: www.example.com.pfx is protected in a way that older Windows does not open on web2"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(fileTooNewForWindows, script)).toEqual(expected);
});
