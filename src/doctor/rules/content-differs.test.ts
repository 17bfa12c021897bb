import { expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { certfarmNode, iisNode } from "../testing/evidence.ts";
import { ask, served, type Script } from "../testing/examination.ts";
import { contentDiffers } from "./content-differs.ts";

const HOST = "www.example.com";
const copy = (digest: string, problem?: string): NodeEvidence =>
  certfarmNode([HOST], { content: [{ folder: "shop", digest, ...(problem === undefined ? {} : { problem }) }] });

test("names the node whose digest is not that of its peers", () => {
  const { findings } = ask(contentDiffers, { evidence: { web1: copy("AAAA"), web2: copy("BBBB"), web3: copy("AAAA") } });
  expect(findings).toMatchObject([
    { summary: "web2 has other content of shop than web1 and web3", severity: "warning", nodes: ["web2"], explains: [] },
  ]);
});

test("a problem that the node tells counts against it, and explains requests that fail", () => {
  const { findings } = ask(contentDiffers, {
    cells: { web2: { [HOST]: { sni: served(HOST), request: { status: 500 } } } },
    evidence: { web1: copy("AAAA"), web2: copy("AAAA", "ENOSPC: no space left") },
  });
  expect(findings).toMatchObject([{ nodes: ["web2"], explains: [{ node: "web2", host: HOST }] }]);
  expect(findings[0]?.proof[0]?.text).toBe("ENOSPC: no space left");
});

test.each<[string, Script["evidence"], string]>([
  ["passes when all have the same", { web1: copy("A"), web2: copy("A") }, "passed"],
  ["does not apply to IIS", { web1: iisNode([HOST]) }, "not-applicable"],
])("%s", (_name, evidence, status) => {
  expect(ask(contentDiffers, { evidence: evidence ?? {} }).status).toBe(status);
});
