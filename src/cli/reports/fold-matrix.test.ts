import { describe, expect, it } from "vitest";

import { GOOD, NOT_LOOKED, brokenFarm, finding, report, reset } from "../testing/sample-report.ts";
import { cellFace } from "./cell-face.ts";
import { foldColumns, foldMatrix } from "./fold-matrix.ts";
import type { Cell } from "./types.ts";

describe("a cell at a glance", () => {
  const cell = (state: Cell["state"], text = "", changes: Partial<Cell> = {}): Cell => ({ state, text, ...changes });
  it.each<[string, Cell, string, string]>([
    ["served as it should be", cell("ok"), "good", ""],
    ["not dialled", cell("not-looked"), "none", ""],
    ["refused", cell("no-connection", "connection refused"), "bad", "refused"],
    ["no answer at all", cell("no-connection", "no answer to the connection"), "bad", "no answer"],
    ["silent after the ClientHello", cell("no-handshake", "no answer to the ClientHello"), "bad", "silent"],
    ["reset", cell("no-handshake", "reset after the ClientHello, without an alert"), "bad", "reset"],
    ["closed", cell("no-handshake", "closed after the ClientHello, without an alert"), "bad", "closed"],
    ["an alert", cell("no-handshake", "alert unrecognized_name"), "bad", "alert"],
    ["plain HTTP", cell("no-handshake", "answers with plain HTTP"), "bad", "plain HTTP"],
    ["any other end", cell("no-handshake", "wrong version number"), "bad", "no TLS"],
    ["another certificate", cell("wrong-name", "serves CN=x instead"), "bad", "wrong name"],
    ["over", cell("validity", "CN=x: CERT_HAS_EXPIRED"), "bad", "expired"],
    ["too early", cell("validity", "CN=x: CERT_NOT_YET_VALID"), "bad", "not yet valid"],
    ["no known authority", cell("untrusted", "CN=x: UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "warn", "untrusted"],
    ["not what the others serve", cell("differs"), "differs", "differs"],
    ["a server's error", cell("request-failed", "answers 503", { status: 503 }), "warn", "HTTP 503"],
    ["no answer to the request", cell("request-failed", "no answer"), "warn", "no HTTP"],
  ])("%s", (_name, given, mark, word) => {
    expect(cellFace(given)).toEqual({ mark, word });
  });
});

describe("a folded matrix", () => {
  it("puts hosts together that look alike, those that differ between nodes first", () => {
    const { rows, good, unseen } = foldMatrix(brokenFarm());
    expect(rows.map(({ hosts, differs }) => [hosts, differs])).toEqual([
      [["www.example.com", "shop.example.com"], true],
      [["old.example.com"], false],
    ]);
    expect(rows[0]?.cells.map(({ word, findings }) => [word, findings])).toEqual([
      ["", []],
      ["reset", [1]],
      ["reset", [2]],
      ["wrong name", [3]],
    ]);
    expect([good.length, unseen]).toEqual([36, []]);
  });

  it("keeps hosts apart that are explained by different findings", () => {
    const findings = [finding({ id: "F-1" }), finding({ id: "F-2" })];
    const { rows } = foldMatrix(report({ a: [reset("F-1")], b: [reset("F-2")], c: [reset("F-2", "F-1", "F-2")] }, { findings }));
    expect(rows.map(({ hosts, cells }) => [hosts, cells[0]?.findings])).toEqual([
      [["a"], [1]],
      [["b"], [2]],
      [["c"], [1, 2]],
    ]);
  });

  it("tells hosts that nobody asked for from those that are well; a node that is not meant to serve a host is no difference", () => {
    const { rows, good, unseen } = foldMatrix(report({ a: [GOOD, NOT_LOOKED], b: [NOT_LOOKED, NOT_LOOKED], c: [reset(), NOT_LOOKED] }));
    expect([good, unseen]).toEqual([["a"], ["b"]]);
    expect(rows.map(({ hosts, differs }) => [hosts, differs])).toEqual([[["c"], false]]);
  });

  it("puts nodes together that look alike, but no balancer", () => {
    const wide = report(
      { a: [GOOD, reset(), GOOD, GOOD] },
      { nodes: ["web1", "web2", "web3", "lb"].map((name) => ({ name, role: name === "lb" ? "balancer" : "node" })) },
    );
    expect(foldColumns(wide.nodes, foldMatrix(wide).rows)).toEqual([[0, 2], [1], [3]]);
  });
});
