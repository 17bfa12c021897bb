import { expect, test } from "vitest";

import type { InstalledCertificate } from "../evidence.ts";
import { iisNode, installed } from "../testing/evidence.ts";
import { type Script } from "../testing/examination.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { intermediateInRootStore } from "./intermediate-in-root-store.ts";

const having = (...certificates: readonly InstalledCertificate[]): Script => ({ evidence: { web1: iisNode([HOST], { certificates }) } });
const root = (name: string, issuer = name) => installed(name, { store: "Root", issuer: `CN=${issuer}` });

const rows: [string, Script, string[]][] = [
  ["cannot look when root stores were not collected", having(installed(HOST)), ["could-not-look"]],
  ["passes on roots", having(root("Example Root")), ["passed"]],
  [
    "names what is no root",
    having(root("Example Root"), root("Example CA", "Example Root")),
    ["warning, certain: web1 has CN=Example CA among its roots, which did not sign itself"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(intermediateInRootStore, script)).toEqual(expected);
});
