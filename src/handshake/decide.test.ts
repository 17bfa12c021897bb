import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";

import { parseIpAddress, type IpAddress } from "../base/index.ts";
import { createRow, createTable, parseRowKey, rowKeyText, type BindingTable } from "../bindings/index.ts";
import { decide } from "./decide.ts";
import { serverNameOf } from "./server-name.ts";
import { centralView, days, leaf, NOW, unread, unusable, usable, type Candidate } from "./testing/central-view.ts";
import type { CandidateVia, CentralView, Decision, FileKnowledge, SelectionInput } from "./types.ts";

/** `ip:10.0.0.4:443 shop.pfx` a row. */
function table(...rows: readonly string[]): BindingTable {
  return createTable(
    rows.map((text) => {
      const [key = "", file] = text.split(" ");
      return createRow({ key: parseRowKey(key), origin: "configuration", ...(file === undefined ? {} : { file }) });
    }),
  );
}

function address(text: string): IpAddress {
  const parsed = parseIpAddress(text);
  if (parsed === undefined) throw new Error(`${text} is no address`);
  return parsed;
}

interface Question {
  readonly rows: readonly string[];
  readonly name?: string;
  readonly at?: string;
  readonly port?: number;
  readonly central?: CentralView;
}

function input({ rows, name, at = "10.0.0.4", port = 443, central = centralView([]) }: Question): SelectionInput {
  return { table: table(...rows), serverName: serverNameOf(name), local: { address: address(at), port }, central, now: NOW };
}

const ask = (question: Question): Decision => decide(input(question));

/** `ip:10.0.0.4:443 → a.pfx + b.pfx`, or `refuse no-row`, or `need a.pfx`. */
function outcome(decision: Decision): string {
  switch (decision.kind) {
    case "serve":
      return `${rowKeyText(decision.row)} → ${decision.certificates.map(({ file }) => file).join(" + ")}`;
    case "refuse":
      return `refuse ${decision.reason} ${decision.alert}`;
    case "need":
      return `need ${decision.files.join(" + ")}`;
  }
}

const www = leaf(["www.example.com"]);
const files: readonly FileKnowledge[] = ["ip.pfx", "exact.pfx", "wild.pfx", "six.pfx", "four.pfx"].map((file) => usable(file, www));
const CENTRAL_EXACT: Candidate = { via: "exact", knowledge: usable("www.example.com.pfx", www) };
const full = centralView([CENTRAL_EXACT], files);
const missing = centralView([], files);
const ALL = [
  "ip:10.0.0.4:443 ip.pfx",
  "host:www.example.com:443 exact.pfx",
  "host:*.example.com:443 wild.pfx",
  "central:443",
  "any:[::]:443 six.pfx",
  "any:0.0.0.0:443 four.pfx",
];
const without = (count: number): readonly string[] => ALL.slice(count);

describe("precedence of rows", () => {
  const NAME = "www.example.com";
  test.each<[string, Question, string]>([
    ["the ip row of the local address comes first", { rows: ALL, name: NAME, central: full }, "ip:10.0.0.4:443 → ip.pfx"],
    ["the ip row answers a client without SNI", { rows: ALL, central: full }, "ip:10.0.0.4:443 → ip.pfx"],
    ["the ip row answers an invalid name", { rows: ALL, name: "../x", central: full }, "ip:10.0.0.4:443 → ip.pfx"],
    [
      "an ip row of another address does not count",
      { rows: ALL, name: NAME, at: "10.0.0.5", central: full },
      "host:www.example.com:443 → exact.pfx",
    ],
    [
      "an IPv6 ip row is found by its address",
      { rows: ["ip:[2001:db8::1]:443 ip.pfx", "central:443"], name: NAME, at: "2001:DB8::1", central: full },
      "ip:[2001:db8::1]:443 → ip.pfx",
    ],
    [
      "the exact host row comes before the wildcard",
      { rows: without(1), name: NAME, central: full },
      "host:www.example.com:443 → exact.pfx",
    ],
    [
      "the wildcard host row comes before the central row",
      { rows: without(2), name: NAME, central: full },
      "host:*.example.com:443 → wild.pfx",
    ],
    [
      "a wildcard stands for one label only",
      { rows: without(2), name: "a.b.example.com", central: full },
      "central:443 → www.example.com.pfx",
    ],
    [
      "a wildcard does not stand for its parent",
      { rows: without(2), name: "example.com", central: full },
      "central:443 → www.example.com.pfx",
    ],
    ["the central row comes before any rows", { rows: without(3), name: NAME, central: full }, "central:443 → www.example.com.pfx"],
    ["a central miss falls through to 0.0.0.0 on IPv4", { rows: without(3), name: NAME, central: missing }, "any:0.0.0.0:443 → four.pfx"],
    [
      "a central miss falls through to [::] on IPv6",
      { rows: without(3), name: NAME, at: "2001:db8::1", central: missing },
      "any:[::]:443 → six.pfx",
    ],
    [
      "0.0.0.0 takes IPv6 connections when there is no [::] row",
      { rows: without(5), name: NAME, at: "2001:db8::1", central: missing },
      "any:0.0.0.0:443 → four.pfx",
    ],
    [
      "[::] does not take IPv4 connections",
      { rows: ["any:[::]:443 six.pfx"], name: NAME, central: missing },
      "refuse no-row unrecognized_name",
    ],
    ["an IPv4-mapped address counts as IPv4", { rows: without(4), at: "::ffff:10.0.0.9", central: missing }, "any:0.0.0.0:443 → four.pfx"],
    ["a client without SNI skips host and central rows", { rows: without(1), central: full }, "any:0.0.0.0:443 → four.pfx"],
    ["an invalid name skips host and central rows", { rows: without(1), name: "a/b", central: full }, "any:0.0.0.0:443 → four.pfx"],
    ["rows of other ports do not count", { rows: ALL, name: NAME, port: 8443, central: full }, "refuse no-row unrecognized_name"],
    [
      "the name's case and trailing dot do not matter",
      { rows: without(1), name: "WWW.Example.COM.", central: full },
      "host:www.example.com:443 → exact.pfx",
    ],
  ])("%s", (_, question, expected) => {
    expect(outcome(ask(question))).toBe(expected);
  });
});

describe("refusals", () => {
  const bad = centralView([{ via: "exact", knowledge: unusable("www.example.com.pfx") }], [unusable("bad.pfx")]);
  test.each<[string, Question, string]>([
    ["an empty table", { rows: [], name: "www.example.com" }, "refuse no-row unrecognized_name"],
    ["host rows for other names only", { rows: ["host:a.example:443 a.pfx"], name: "b.example" }, "refuse no-row unrecognized_name"],
    ["ip rows for other addresses only, without SNI", { rows: ["ip:10.0.0.9:443 a.pfx"] }, "refuse no-row unrecognized_name"],
    ["a central row and no file", { rows: ["central:443"], name: "www.example.com" }, "refuse no-certificate unrecognized_name"],
    ["a central row and no SNI", { rows: ["central:443"] }, "refuse no-server-name unrecognized_name"],
    ["host rows and no SNI", { rows: ["host:a.example:443 a.pfx"] }, "refuse no-server-name unrecognized_name"],
    ["a central row and an address as name", { rows: ["central:443"], name: "10.0.0.4" }, "refuse invalid-server-name unrecognized_name"],
    ["a central row and an empty name", { rows: ["central:443"], name: "" }, "refuse invalid-server-name unrecognized_name"],
    [
      "a central file that cannot be used",
      { rows: ["central:443"], name: "www.example.com", central: bad },
      "refuse certificate-unusable internal_error",
    ],
    [
      "an ip row whose file cannot be used",
      { rows: ["ip:10.0.0.4:443 bad.pfx"], central: bad },
      "refuse certificate-unusable internal_error",
    ],
    ["an ip row whose file is not there", { rows: ["ip:10.0.0.4:443 gone.pfx"] }, "refuse no-certificate unrecognized_name"],
    [
      "an unusable ip row and no SNI beside a central row",
      { rows: ["ip:10.0.0.4:443 bad.pfx", "central:443"], central: bad },
      "refuse certificate-unusable internal_error",
    ],
  ])("%s", (_, question, expected) => {
    const decision = ask(question);
    expect(outcome(decision)).toBe(expected);
    expect(decision.trail.at(-1)).toMatchObject({ look: "refusal", outcome: "refused" });
  });
});

describe("rows whose file cannot be used are passed over", () => {
  const view = (...more: readonly FileKnowledge[]) => centralView([CENTRAL_EXACT], [unusable("bad.pfx"), ...files, ...more]);
  test.each<[string, Question, string]>([
    [
      "ip row, unusable",
      { rows: ["ip:10.0.0.4:443 bad.pfx", "central:443"], name: "www.example.com", central: view() },
      "central:443 → www.example.com.pfx",
    ],
    [
      "ip row, not there",
      { rows: ["ip:10.0.0.4:443 gone.pfx", "central:443"], name: "www.example.com", central: view() },
      "central:443 → www.example.com.pfx",
    ],
    [
      "host row, unusable",
      { rows: ["host:www.example.com:443 bad.pfx", "central:443"], name: "www.example.com", central: view() },
      "central:443 → www.example.com.pfx",
    ],
    [
      "[::] row, unusable",
      { rows: ["any:[::]:443 bad.pfx", "any:0.0.0.0:443 four.pfx"], at: "2001:db8::1", central: view() },
      "any:0.0.0.0:443 → four.pfx",
    ],
    [
      "ip row, unread",
      { rows: ["ip:10.0.0.4:443 new.pfx", "central:443"], name: "www.example.com", central: view(unread("new.pfx")) },
      "need new.pfx",
    ],
  ])("%s", (_, question, expected) => {
    expect(outcome(ask(question))).toBe(expected);
  });
});

/** Central candidates for www.example.com and what comes of them. */
function central(candidates: readonly Candidate[]): string {
  return outcome(
    ask({ rows: ["central:443", "any:0.0.0.0:443 four.pfx"], name: "www.example.com", central: centralView(candidates, files) }),
  );
}

const exact = (knowledge: FileKnowledge): Candidate => ({ via: "exact", knowledge });
const wildcard = (knowledge: FileKnowledge): Candidate => ({ via: "wildcard", knowledge });
const covering = (knowledge: FileKnowledge): Candidate => ({ via: "covering", knowledge });
const expired = leaf(["www.example.com"], { notAfter: days(-1), thumbprint: "EE" });
const future = leaf(["www.example.com"], { notBefore: days(1), notAfter: days(400), thumbprint: "FF" });

describe("choice among central files", () => {
  test.each<[string, readonly Candidate[], string]>([
    [
      "exact before wildcard and covering",
      [covering(usable("c", www)), wildcard(usable("w", www)), exact(usable("e", www))],
      "central:443 → e",
    ],
    ["wildcard before covering", [covering(usable("c", www)), wildcard(usable("w", www))], "central:443 → w"],
    ["covering when there is nothing else", [covering(usable("c", www))], "central:443 → c"],
    ["an exact file although its certificate does not name the host", [exact(usable("e", leaf(["other.example"])))], "central:443 → e"],
    [
      "no covering file whose certificate does not name the host any longer",
      [covering(usable("c", leaf(["other.example"])))],
      "any:0.0.0.0:443 → four.pfx",
    ],
    ["a covering file by its wildcard", [covering(usable("c", leaf(["*.example.com"])))], "central:443 → c"],
    [
      "an expired exact file before a valid wildcard: classes come first",
      [exact(usable("e", expired)), wildcard(usable("w", www))],
      "central:443 → e",
    ],
    ["an expired file before a default certificate", [wildcard(usable("w", expired))], "central:443 → w"],
    [
      "valid before expired, although another thumbprint is smaller",
      [exact(usable("old", expired)), exact(usable("new", www))],
      "central:443 → new",
    ],
    [
      "valid before not yet valid, although that is valid for longer",
      [exact(usable("future", future)), exact(usable("now", www))],
      "central:443 → now",
    ],
    [
      "the later notAfter",
      [exact(usable("sooner", www)), exact(usable("later", leaf(["www.example.com"], { notAfter: days(91) })))],
      "central:443 → later",
    ],
    [
      "the smaller thumbprint when both end together",
      [
        exact(usable("a", leaf(["www.example.com"], { thumbprint: "B" }))),
        exact(usable("b", leaf(["www.example.com"], { thumbprint: "A" }))),
      ],
      "central:443 → b",
    ],
    ["the smaller name when both are one certificate", [exact(usable("b", www)), exact(usable("a", www))], "central:443 → a"],
    [
      "a certificate in its last millisecond as valid",
      [
        exact(usable("later", leaf(["www.example.com"], { notBefore: days(1), notAfter: days(99) }))),
        exact(usable("last", leaf(["www.example.com"], { notAfter: NOW }))),
      ],
      "central:443 → last",
    ],
    [
      "an RSA and an ECDSA certificate, both",
      [exact(usable("r", leaf(["www.example.com"], { keyType: "rsa", notAfter: days(10) }))), exact(usable("e", www))],
      "central:443 → e + r",
    ],
    [
      "one of each of three key types",
      [
        exact(usable("r", leaf(["www.example.com"], { keyType: "rsa", thumbprint: "1" }))),
        exact(usable("e", leaf(["www.example.com"], { thumbprint: "2" }))),
        exact(usable("d", leaf(["www.example.com"], { keyType: "ed25519", thumbprint: "3" }))),
      ],
      "central:443 → r + e + d",
    ],
    [
      "no expired ECDSA certificate beside a valid RSA one",
      [exact(usable("r", leaf(["www.example.com"], { keyType: "rsa" }))), exact(usable("e", expired))],
      "central:443 → r",
    ],
    [
      "no second certificate of one key type",
      [exact(usable("a", www)), exact(usable("b", leaf(["www.example.com"], { notAfter: days(50) })))],
      "central:443 → a",
    ],
    [
      "no key types across classes",
      [exact(usable("e", www)), wildcard(usable("w", leaf(["*.example.com"], { keyType: "rsa" })))],
      "central:443 → e",
    ],
    ["the wildcard when the exact file is unusable", [exact(unusable("e")), wildcard(usable("w", www))], "central:443 → w"],
    [
      "the RSA file when the ECDSA one is unusable",
      [exact(unusable("e")), exact(usable("r", leaf(["www.example.com"], { keyType: "rsa" })))],
      "central:443 → r",
    ],
    ["a default certificate when all files are unusable", [exact(unusable("e")), wildcard(unusable("w"))], "any:0.0.0.0:443 → four.pfx"],
    [
      "to read all unread exact files, and no others",
      [exact(unread("e.rsa")), exact(unread("e.ecdsa")), wildcard(unread("w")), covering(unread("c"))],
      "need e.ecdsa + e.rsa",
    ],
    ["to read the second exact file though the first is known", [exact(usable("e", www)), exact(unread("r"))], "need r"],
    [
      "to read nothing of later classes when the exact file serves",
      [exact(usable("e", www)), wildcard(unread("w")), covering(unread("c"))],
      "central:443 → e",
    ],
    [
      "to read the wildcard once the exact file is unusable",
      [exact(unusable("e")), wildcard(unread("w")), covering(unread("c"))],
      "need w",
    ],
    ["to read covering files last", [exact(unusable("e")), wildcard(unusable("w")), covering(unread("c"))], "need c"],
    ["to read a file once that is listed twice", [exact(unread("e")), exact(unread("e"))], "need e"],
  ])("takes %s", (_, candidates, expected) => {
    expect(central(candidates)).toBe(expected);
  });

  it("is the same for 100 orders of the candidates", () => {
    const candidates = [
      exact(usable("a.rsa", leaf(["www.example.com"], { keyType: "rsa", thumbprint: "A1" }))),
      exact(usable("b.rsa", leaf(["www.example.com"], { keyType: "rsa", thumbprint: "A0" }))),
      exact(usable("c.ecdsa", expired)),
      exact(usable("d.ecdsa", leaf(["www.example.com"], { thumbprint: "B0", notAfter: days(89) }))),
      exact(unusable("e.pfx")),
      wildcard(usable("f", www)),
      wildcard(unread("g")),
      covering(unread("h")),
    ];
    const shuffles = fc.sample(fc.shuffledSubarray(candidates, { minLength: candidates.length }), { numRuns: 100, seed: 443 });
    const decisions = shuffles.map((order) => ask({ rows: ["central:443"], name: "www.example.com", central: centralView(order) }));
    expect(new Set(decisions.map((decision) => JSON.stringify(decision))).size).toBe(1);
    expect(decisions.map(outcome)[0]).toBe("central:443 → b.rsa + d.ecdsa");
  });
});

describe("the trail", () => {
  it("names rows, files, thumbprints and dates", () => {
    const rsa = leaf(["www.example.com"], { keyType: "rsa", thumbprint: "0A", notAfter: days(10) });
    const view = centralView([exact(unusable("www.example.com.pfx")), wildcard(usable("_.example.com.pfx", rsa))]);
    expect(ask({ rows: ["central:443"], name: "www.example.com", central: view }).trail).toEqual([
      { look: "ip row", outcome: "absent", because: "no row for 10.0.0.4:443" },
      { look: "host row", outcome: "absent", because: "no row for www.example.com or *.example.com on port 443" },
      { look: "central row", outcome: "matched", because: "central:443: the file is chosen by the name www.example.com" },
      { look: "exact file", outcome: "unusable", because: "www.example.com.pfx: wrong-password, no password opens the file" },
      { look: "wildcard file", outcome: "chosen", because: "_.example.com.pfx: thumbprint 0A, rsa, valid until 2026-06-25" },
    ]);
  });

  test.each<[string, Question, string]>([
    [
      "says that a certificate is expired",
      { rows: ["central:443"], name: "www.example.com", central: centralView([exact(usable("e.pfx", expired))]) },
      "EXPIRED on 2026-06-14",
    ],
    [
      "says that a certificate is not valid yet",
      { rows: ["central:443"], name: "www.example.com", central: centralView([exact(usable("e.pfx", future))]) },
      "NOT VALID before 2026-06-16",
    ],
    [
      "says that an ip row's certificate does not name the host",
      { rows: ["ip:10.0.0.4:443 ip.pfx"], name: "shop.example.com", central: full },
      "it does not name shop.example.com",
    ],
    [
      "says that an exact file's certificate does not name the host",
      { rows: ["central:443"], name: "shop.example.com", central: full },
      "it does not name shop.example.com",
    ],
    ["says which wildcard file there is not", { rows: ["central:443"], name: "www.example.com" }, "no file is named _.example.com"],
    ["says why there is no wildcard for a single label", { rows: ["central:443"], name: "intranet" }, "intranet has one label"],
    ["says what the invalid name was", { rows: ["central:443"], name: "a\u001bb" }, '"a\\x1bb"'],
    [
      "survives dates that no calendar has",
      { rows: ["central:443"], name: "www.example.com", central: centralView([exact(usable("e", leaf([], { notAfter: days(1e12) })))]) },
      "an unknown date",
    ],
    [
      "counts what a long list leaves out",
      {
        rows: ["central:443"],
        name: "www.example.com",
        central: centralView(
          Array.from({ length: 30 }, (_, at) => exact(usable(`f${at}`, leaf(["www.example.com"], { notAfter: days(at + 1) })))),
        ),
      },
      "and 21 more",
    ],
  ])("%s", (_, question, expected) => {
    expect(
      ask(question)
        .trail.map(({ because }) => because)
        .join("\n"),
    ).toContain(expected);
  });
});

/** Any state of things, small enough that its parts meet. */
const ROWS = [...ALL, "ip:[2001:db8::1]:443 six.pfx", "host:a.example:443 exact.pfx", "central:8443", "any:0.0.0.0:8443 gone.pfx"];
const knowledgeOf = (file: string) =>
  fc.oneof(
    fc.constant(unread(file)),
    fc.constant(unusable(file)),
    fc
      .record({
        keyType: fc.constantFrom("rsa" as const, "ecdsa" as const, "ed25519" as const),
        end: fc.integer({ min: -3, max: 3 }),
        thumbprint: fc.constantFrom("A", "B"),
      })
      .map(({ keyType, end, thumbprint }) => usable(file, leaf(["www.example.com"], { keyType, thumbprint, notAfter: days(end) }))),
  );
const anyCandidates = fc
  .uniqueArray(fc.constantFrom("c1", "c2", "c3", "c4", "c5"))
  .chain((names) =>
    fc.tuple(
      ...names.map((name) =>
        fc.record({ via: fc.constantFrom<CandidateVia>("exact", "wildcard", "covering"), knowledge: knowledgeOf(name) }),
      ),
    ),
  );
const anyInput = fc
  .record({
    rows: fc.subarray(ROWS),
    name: fc.constantFrom(undefined, "www.example.com", "a.example", "x.b.example.com", "../x", "", "10.0.0.1"),
    at: fc.constantFrom("10.0.0.4", "10.0.0.5", "2001:db8::1", "::1"),
    port: fc.constantFrom(443, 8443, 80),
    candidates: anyCandidates,
    named: fc.tuple(...["ip.pfx", "exact.pfx", "wild.pfx", "six.pfx", "four.pfx"].map(knowledgeOf)),
  })
  .map(({ name, candidates, named, ...rest }) =>
    input({ ...rest, ...(name === undefined ? {} : { name }), central: centralView(candidates, named) }),
  );

describe("decide in general", () => {
  it("always decides, with a trail that ends in its decision", () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(anyInput, (question) => {
        const decision = decide(question);
        kinds.add(decision.kind);
        expect(decision.trail.length).toBeGreaterThan(0);
        expect(decision.trail.every(({ because }) => because.length > 0)).toBe(true);
        if (decision.kind === "serve") expect(decision.certificates.length).toBeGreaterThan(0);
      }),
      { numRuns: 400, seed: 1 },
    );
    expect([...kinds].sort()).toEqual(["need", "refuse", "serve"]);
  });

  it("needs only unread files, each once", () => {
    fc.assert(
      fc.property(anyInput, (question) => {
        const decision = decide(question);
        if (decision.kind !== "need") return;
        expect(decision.files.length).toBeGreaterThan(0);
        expect(new Set(decision.files).size).toBe(decision.files.length);
        for (const file of decision.files) expect(question.central.file(file)).toMatchObject({ state: "unread" });
      }),
      { numRuns: 400, seed: 2 },
    );
  });

  it("serves only usable files, one of each key type", () => {
    fc.assert(
      fc.property(anyInput, (question) => {
        const decision = decide(question);
        if (decision.kind !== "serve") return;
        expect(new Set(decision.certificates.map(({ keyType }) => keyType)).size).toBe(decision.certificates.length);
        for (const { file } of decision.certificates) expect(question.central.file(file)).toMatchObject({ state: "usable" });
      }),
      { numRuns: 400, seed: 3 },
    );
  });

  it("decides alike however rows and candidates are ordered", () => {
    fc.assert(
      fc.property(anyInput, (question) => {
        const turned: CentralView = {
          candidates: (host) => [...question.central.candidates(host)].reverse(),
          file: (name) => question.central.file(name),
        };
        expect(decide({ ...question, table: createTable([...question.table.rows].reverse()), central: turned })).toEqual(decide(question));
      }),
      { numRuns: 400, seed: 4 },
    );
  });

  it("comes to an end when the files that it needs are read, one round at most for each of seven places", () => {
    fc.assert(
      fc.property(anyInput, fc.boolean(), (question, good) => {
        const read = new Set<string>();
        const known = (knowledge: FileKnowledge): FileKnowledge =>
          read.has(knowledge.file) ? (good ? usable(knowledge.file, www) : unusable(knowledge.file)) : knowledge;
        const view: CentralView = {
          candidates: (host) => question.central.candidates(host).map(({ via, knowledge }) => ({ via, knowledge: known(knowledge) })),
          file: (name) => {
            const knowledge = question.central.file(name);
            return knowledge === undefined ? undefined : known(knowledge);
          },
        };
        let rounds = 0;
        for (;;) {
          const decision = decide({ ...question, central: view });
          if (decision.kind !== "need") break;
          for (const file of decision.files) read.add(file);
          rounds++;
          expect(rounds).toBeLessThanOrEqual(7);
        }
      }),
      { numRuns: 400, seed: 5 },
    );
  });
});
