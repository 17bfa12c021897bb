import { expect, test } from "vitest";

import { certfarmNode, event, iisNode } from "../testing/evidence.ts";
import { ask, RESET, served } from "../testing/examination.ts";
import { configurationUnusable } from "./configuration-unusable.ts";

const HOST = "www.example.com";

test("a torn copy on one server explains its resets and its 503", () => {
  const { bindings: _bindings, ...torn } = iisNode([HOST], {
    configuration: { source: "applicationHost.config", problem: "line 812, column 5: the element site is not closed" },
    events: [event("IIS-W3SVC-WP", 2297, "Configuration file is not well-formed XML")],
  });
  const { findings } = ask(configurationUnusable, {
    cells: {
      web1: { [HOST]: served(HOST), "b.example.com": served("b.example.com") },
      web2: { [HOST]: { sni: served(HOST), request: { status: 503 } }, "b.example.com": RESET },
    },
    evidence: { web1: iisNode([HOST]), web2: torn },
  });
  expect(findings).toMatchObject([
    { summary: "web2 cannot read its IIS configuration", nodes: ["web2"], explains: [{ host: HOST }, { host: "b.example.com" }] },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    "line 812, column 5: the element site is not closed",
    "event 2297 at 2026-06-15 09:36 UTC: Configuration file is not well-formed XML",
  ]);
});

test("a certfarm node says which revision it goes on with", () => {
  const web1 = certfarmNode([HOST], {
    configuration: { source: "report", revision: 6, digest: "A", problem: "revision 7: site Shop has no binding" },
  });
  const { findings } = ask(configurationUnusable, {
    cells: { web1: { "new.example.com": { kind: "alert", alert: "unrecognized_name" } } },
    evidence: { web1 },
  });
  expect(findings).toMatchObject([
    { summary: "web1 refuses the newest configuration and goes on with revision 6", explains: [{ host: "new.example.com" }] },
  ]);
});

test("a hostile problem text is cut", () => {
  const web1 = iisNode([HOST], { configuration: { source: "applicationHost.config", problem: "x".repeat(1e6) } });
  expect(ask(configurationUnusable, { evidence: { web1 } }).findings[0]?.proof[0]?.text.length).toBeLessThan(300);
});

test.each([
  ["passes where the configuration can be read", iisNode([HOST]), "passed"],
  ["cannot look without it", {}, "could-not-look"],
])("%s", (_name, web1, status) => {
  expect(ask(configurationUnusable, { evidence: { web1 } }).status).toBe(status);
});
