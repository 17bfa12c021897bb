import { expect, test } from "vitest";

import type { CentralFile } from "../evidence.ts";
import { centralStore, iisNode } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { certfarmFile, fileWith, SHOP_FILE, SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, SHOP, told } from "../testing/wire-scripts.ts";
import { fileUnreadable } from "./file-unreadable.ts";

const denied = fileWith("ok", { access: "denied" });
const one = (file: CentralFile): Script => ({
  cells: { web1: { ...SHOP_WELL, [HOST]: served(HOST) }, web2: { ...SHOP_WELL, [HOST]: RESET } },
  evidence: { web1: iisNode([SHOP, HOST]), web2: iisNode([SHOP, HOST], { central: centralStore([SHOP_FILE, file]) }) },
});

const rows: [string, Script, string[]][] = [
  ["cannot look without a listing", { cells: { web1: SHOP_WELL } }, ["could-not-look"]],
  ["passes when every file can be read", one(fileWith("ok")), ["passed"]],
  ["names the node and the file", one(denied), ["error, certain: www.example.com.pfx cannot be read on web2"]],
  [
    "takes a failed read for the same",
    one(fileWith("ok", { access: "failed" })),
    ["error, certain: www.example.com.pfx cannot be read on web2"],
  ],
  ["needs no node when all are concerned", certfarmFile("unreadable"), ["error, certain: www.example.com.pfx cannot be read"]],
  [
    "warns while the certificate is still served from memory",
    { ...one(denied), cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: served(HOST) } } },
    ["warning, certain: www.example.com.pfx cannot be read on web2"],
  ],
  [
    "says nothing of files that no host that was asked for needs",
    { ...one(denied), cells: { web1: SHOP_WELL, web2: SHOP_WELL } },
    ["passed"],
  ],
  [
    "leaves a node that cannot reach the folder at all to other rules",
    {
      ...one(denied),
      evidence: {
        web2: iisNode([HOST], { central: centralStore([denied], { access: { kind: "failed", cause: "denied", message: "denied" } }) }),
      },
    },
    ["could-not-look"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(fileUnreadable, script)).toEqual(expected);
});

test("quotes names in commands, tells the peer that reads the file, and resyncs certfarm nodes", () => {
  const [iis] = ask(fileUnreadable, one(denied)).findings;
  expect(iis?.proof.map(({ text }) => text)).toEqual([
    "www.example.com.pfx: access is denied to the account of the node",
    "www.example.com on web2: reset after the ClientHello, without an alert",
    "web1 reads it: the same file, 7777772E, valid until 2026-08-14",
  ]);
  expect(iis?.actions).toEqual([{ do: "manual", text: expect.stringContaining("icacls www.example.com.pfx /reset") }]);
  const [certfarm] = ask(fileUnreadable, certfarmFile("unreadable")).findings;
  expect(certfarm?.actions.slice(1)).toEqual([
    { do: "resync", node: "web1", part: "certificates" },
    { do: "resync", node: "web2", part: "certificates" },
  ]);
});
