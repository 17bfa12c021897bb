import { expect, test } from "vitest";

import type { ListenerEvidence } from "../evidence.ts";
import { iisNode, listener } from "../testing/evidence.ts";
import { ask, RESET, served, type Script } from "../testing/examination.ts";
import { portNotOpen } from "./port-not-open.ts";

const HOST = "www.example.com";
const REFUSED = { kind: "refused" } as const;
const TIMEOUT = { kind: "timeout", during: "connect" } as const;
const script = (listeners: readonly ListenerEvidence[], outcome: NonNullable<Script["cells"]>[string][string] = REFUSED): Script => ({
  cells: { web1: { [HOST]: outcome } },
  evidence: { web1: iisNode([HOST], { listeners }) },
});

test.each([
  ["nothing listens there", script([listener("0.0.0.0:80")]), "web1 does not listen on 10.0.0.1:443", "certain"],
  ["only the loopback listens", script([listener("127.0.0.1:443")]), "web1 does not listen on 10.0.0.1:443", "certain"],
  [
    "it listens, and the connection is not answered",
    script([listener("[::]:443")], TIMEOUT),
    "web1 listens on 10.0.0.1:443, but connections do not arrive",
    "likely",
  ],
  [
    "the node could not open it",
    script([listener("10.0.0.1:443", { problem: "EADDRINUSE: the address is in use" })]),
    "web1 cannot listen on 10.0.0.1:443",
    "certain",
  ],
])("%s", (_name, given, summary, certainty) => {
  expect(ask(portNotOpen, given).findings).toMatchObject([
    { summary, certainty, nodes: ["web1"], explains: [{ node: "web1", host: HOST }] },
  ]);
});

test.each<[string, Script, string]>([
  ["passes when connections come about", script([listener("0.0.0.0:443")], served(HOST)), "passed"],
  ["passes on a reset, which is a connection", script([], RESET), "passed"],
  [
    "passes when some connections come about",
    { ...script([]), cells: { web1: { [HOST]: REFUSED, "b.example.com": served("b.example.com") } } },
    "passed",
  ],
  [
    "cannot look without the list of listeners",
    { cells: { web1: { [HOST]: REFUSED } }, evidence: { web1: iisNode([HOST]) } },
    "could-not-look",
  ],
])("%s", (_name, given, status) => {
  expect(ask(portNotOpen, given).status).toBe(status);
});
