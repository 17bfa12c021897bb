import { afterAll, beforeEach, describe, expect, it } from "vitest";

import { FarmError, silentLog, systemClock } from "../base/index.ts";
import { createRevisions } from "../replica/index.ts";
import { createJudge } from "./judge-saved-file.ts";
import { createTestFarm, farmYaml, proofOf, proofs, type TestFarm } from "./testing/test-farm.ts";

let farm: TestFarm;

beforeEach(() => {
  farm = createTestFarm();
});

const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "nothing thrown",
    (error: unknown) => (error instanceof FarmError ? error.code : String(error)),
  );

const WWW = "https://www.example.com";
const API = "https://api.example.com";

describe("config plan", () => {
  it("tells every problem of a text that is not valid, and changes nothing", async () => {
    const plan = await farm.operations.config.plan("farm: x\nnoodles: []\n");
    expect(plan.kind).toBe("invalid");
    expect(plan.kind === "invalid" && plan.text).toMatch(/farm\.yaml:2:1 error .*noodles/);
    expect(await codeOf(farm.operations.config.show())).toBe("CONFIG_REVISION_ABSENT");
  });

  it("shows for each host and node what is served before and after, and what lacks a certificate", async () => {
    await farm.putCertificate("www.example.com.pfx", "www.example.com");
    await farm.operations.config.apply({ yaml: farmYaml(WWW) });
    const plan = await farm.operations.config.plan(farmYaml(API, "https://*.apps.example.com"));
    if (plan.kind !== "valid") throw new Error(plan.text);
    expect(plan.impact.broken).toEqual(["www.example.com"]);
    expect(plan.impact.counts).toMatchObject({ broken: 2, unserved: 4 });
    expect(plan.missing.map(({ host, reason }) => `${host}: ${reason}`)).toEqual([
      "*.apps.example.com: no-certificate",
      "api.example.com: no-certificate",
    ]);
    const broken = plan.impact.rows.find(({ change }) => change === "broken");
    expect(broken).toMatchObject({ nodes: ["web1", "web2"], before: { kind: "serve", files: ["www.example.com.pfx"] } });
    expect(plan.diff).toContain("-  - { name: s0");
  });

  it("finds a host that only a certificate's other names cover", async () => {
    await farm.putCertificate("www.example.com.pfx", "www.example.com", "api.example.com");
    const plan = await farm.operations.config.plan(farmYaml(API));
    expect(plan.kind === "valid" && plan.impact.counts).toMatchObject({ gained: 2, unserved: 0 });
  });

  it("weighs names below a binding for a wildcard by their own files", async () => {
    await farm.putCertificate("one.apps.example.com.pfx", "one.apps.example.com");
    await farm.operations.config.apply({ yaml: farmYaml("https://*.apps.example.com") });
    const plan = await farm.operations.config.plan(farmYaml(WWW));
    expect(plan.kind === "valid" && plan.impact.broken).toEqual(["one.apps.example.com"]);
  });

  it("counts a certificate that cannot be opened as one that serves nobody", async () => {
    await farm.store.folder("certificates").put("www.example.com.pfx", Buffer.from("no pfx"));
    const plan = await farm.operations.config.plan(farmYaml(WWW));
    expect(plan.kind === "valid" && plan.missing).toEqual([{ host: "www.example.com", port: 443, reason: "certificate-unusable" }]);
  });
});

describe("config apply", () => {
  it("refuses what would break a served host, names it, and does it when that is allowed", async () => {
    await farm.putCertificate("www.example.com.pfx", "www.example.com");
    await farm.operations.config.apply({ yaml: farmYaml(WWW) });
    const { config } = farm.operations;
    const refusal = await config.apply({ yaml: farmYaml(API) }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "CONFIG_WOULD_BREAK", facts: { hosts: ["www.example.com"], total: 1 } });
    expect(String(refusal)).toContain("www.example.com on web1, web2: no site takes this host");
    expect((await config.show()).number).toBe(1);
    const allowed = await config.apply({ yaml: farmYaml(API), allowBroken: ["*.example.com"], note: "moved" });
    expect(allowed).toMatchObject({
      revision: { number: 2, note: "moved", by: "tester@here" },
      changed: true,
      broken: ["www.example.com"],
    });
  });

  it("refuses a text that is not valid with all its problems", async () => {
    const error = await farm.operations.config.apply({ yaml: "farm: [" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "CONFIG_INVALID" });
    expect(String(error)).toMatch(/farm\.yaml:\d+:\d+ error/);
  });

  it("gives the second of two writers a conflict that names the first, and loses nothing", async () => {
    const { config } = farm.operations;
    await config.apply({ yaml: farmYaml(WWW) });
    await config.apply({ yaml: farmYaml(WWW, API), base: 1, by: "first@here" });
    const error = await config.apply({ yaml: farmYaml(WWW, "https://b.example.com"), base: 1 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "STORE_CONFLICT" });
    expect(String(error)).toContain("first@here");
    expect((await config.show()).yaml).toBe(farmYaml(WWW, API));
  });

  it("makes no revision of the same text", async () => {
    await farm.operations.config.apply({ yaml: farmYaml(WWW) });
    expect(await farm.operations.config.apply({ yaml: farmYaml(WWW) })).toMatchObject({ changed: false, revision: { number: 1 } });
  });

  it.each([
    ["a host that is none", { allowBroken: ["not a host"] }, "HOST_NAME_INVALID"],
    ["a base that the farm has not reached", { base: 7 }, "STORE_CONFLICT"],
  ])("refuses %s", async (_name, more, code) => {
    expect(await codeOf(farm.operations.config.apply({ yaml: farmYaml(WWW), ...more }))).toBe(code);
  });
});

describe("config history", () => {
  it("rolls back by a new revision, lists and compares them", async () => {
    const { config } = farm.operations;
    await config.apply({ yaml: farmYaml(WWW) });
    await config.apply({ yaml: farmYaml(WWW, API) });
    expect(await config.rollback({ number: 1 })).toMatchObject({ revision: { number: 3, note: "back to revision 1" } });
    expect((await config.history(10)).map(({ number }) => number)).toEqual([3, 2, 1]);
    const { diff, changes } = await config.diff(1, 2);
    expect(diff).toContain("+  - { name: s1");
    expect(changes).toMatchObject([{ subject: "site s1", change: "added" }]);
    expect((await config.diff(1, 3)).diff).toBe("");
    expect(await codeOf(config.show(9))).toBe("CONFIG_REVISION_ABSENT");
    expect(await codeOf(config.rollback({ number: 9 }))).toBe("CONFIG_REVISION_ABSENT");
  });
});

describe("a farm.yaml that was saved by hand", () => {
  const judge = () => createJudge(farm.parts);
  const latest = () => createRevisions(farm.store, { clock: systemClock, log: silentLog }).latest();

  it("is taken as the first revision when it is valid, whatever certificates there are", async () => {
    expect(await judge()(farmYaml(WWW), undefined)).toEqual({ kind: "accept" });
  });

  it("is refused when it is not valid, with the lines", async () => {
    const judgement = await judge()("farm: x\nnoodles: []\n", undefined);
    expect(judgement.kind === "refuse" && judgement.problems.join("\n")).toMatch(/^line 2: noodles /m);
  });

  it("is refused when it would break a served host, with the sentence how to allow it", async () => {
    await farm.putCertificate("www.example.com.pfx", "www.example.com");
    await farm.operations.config.apply({ yaml: farmYaml(WWW) });
    const judgement = await judge()(farmYaml(API), await latest());
    expect(judgement).toEqual({
      kind: "refuse",
      problems: [
        "would no longer be served: www.example.com on web1, web2: no site takes this host",
        "to allow it, run: certfarm config apply farm.yaml --allow-broken 'www.example.com'",
      ],
    });
  });

  it("is taken when nothing served breaks", async () => {
    await farm.putCertificate("www.example.com.pfx", "www.example.com");
    await farm.operations.config.apply({ yaml: farmYaml(WWW) });
    expect(await judge()(farmYaml(WWW, API), await latest())).toEqual({ kind: "accept" });
  });
});

describe("waiting for a revision", () => {
  beforeEach(async () => {
    await farm.operations.config.apply({ yaml: farmYaml(WWW) });
  });

  it("ends when the last node proved all its hosts, and tells each step", async () => {
    const seen: string[] = [];
    await farm.report("web1", { proof: proofs(proofOf("www.example.com", "proved")) });
    const waiting = farm.operations.config.awaitProved({
      timeoutMs: 20_000,
      onProgress: ({ done, total, laggards }) => seen.push(`${done}/${total} ${laggards.map(({ because }) => because).join()}`),
    });
    await farm.report("web2", { proof: proofs(proofOf("www.example.com", "pending")) });
    await expect.poll(() => seen.at(-1)).toBe("1/2 1 host is still to be proved");
    await farm.report("web2", { proof: proofs(proofOf("www.example.com", "proved")) });
    expect(await waiting).toEqual({ revision: 1, done: 2, total: 2, laggards: [] });
    expect(seen.at(-1)).toBe("2/2 ");
  });

  it.each([
    ["never reported", undefined, /never reported/],
    ["is at an earlier revision", { revision: 0 }, /at revision 0/],
    ["cannot apply it", { revision: 0, revisionProblem: "its disk is full" }, /disk is full/],
    ["failed a host", { proof: proofs(proofOf("www.example.com", "failed", { problem: "no answer" })) }, /www\.example\.com: no answer/],
    ["reported long ago", { at: 0 as never }, /last report is \d+ s old/],
  ])("names a node that %s at the deadline", async (_name, changes, because) => {
    await farm.report("web1", { proof: proofs(proofOf("www.example.com", "proved")) });
    if (changes !== undefined) await farm.report("web2", changes);
    const { laggards } = await farm.operations.config.awaitProved({ timeoutMs: 50 });
    expect(laggards).toEqual([{ node: "web2", because: expect.stringMatching(because) as string }]);
  });

  it("ends with CANCELLED when its signal aborts", async () => {
    expect(await codeOf(farm.operations.config.awaitProved({ timeoutMs: 60_000, signal: AbortSignal.timeout(30) }))).toBe("CANCELLED");
  });
});

describe("status", () => {
  it("says that a farm has nothing yet", async () => {
    expect(await farm.operations.status()).toMatchObject({
      nodes: [],
      problems: ["the farm has no configuration yet"],
      balancer: { kind: "absent" },
    });
  });

  it("is well when every node proved every host", async () => {
    await farm.operations.config.apply({ yaml: farmYaml(WWW) });
    for (const node of ["web1", "web2"]) {
      await farm.report(node, { proof: proofs(proofOf("www.example.com", "proved", { thumbprint: "A1" })) });
    }
    const status = await farm.operations.status();
    expect(status.problems).toEqual([]);
    expect(status.matrix.rows).toEqual([
      {
        host: "www.example.com",
        port: 443,
        differs: false,
        cells: [
          { verdict: "proved", thumbprint: "A1" },
          { verdict: "proved", thumbprint: "A1" },
        ],
      },
    ]);
  });

  it("names silent and absent nodes, failed hosts, drift, different certificates and drains", async () => {
    await farm.operations.config.apply({ yaml: farmYaml(WWW, API) });
    await farm.report("web1", {
      table: { rows: 1, drift: ["extra ip:127.0.0.1:443"], reconcile: "observe" },
      proof: proofs(
        proofOf("www.example.com", "proved", { thumbprint: "A1" }),
        proofOf("api.example.com", "failed", { problem: "refused" }),
      ),
    });
    await farm.report("web3", { at: 0 as never, proof: proofs(proofOf("www.example.com", "proved", { thumbprint: "B2" })) });
    await farm.operations.drain("web1");
    const { problems, nodes, matrix, drains } = await farm.operations.status();
    expect(nodes.map(({ node, state, configured, drained }) => [node, state, configured, drained])).toEqual([
      ["web1", "reporting", true, true],
      ["web2", "absent", true, false],
      ["web3", "silent", false, false],
    ]);
    expect(problems).toEqual([
      "web1 failed to prove 1 host",
      "web1's binding table differs from the configuration: extra ip:127.0.0.1:443",
      "web2 has never reported",
    ]);
    expect(matrix.rows[0]).toMatchObject({
      host: "api.example.com",
      cells: [{ verdict: "failed" }, { verdict: "unknown" }, { verdict: "unknown" }],
    });
    // What a silent node once proved counts for nothing.
    expect(matrix.rows[1]).toMatchObject({ host: "www.example.com", differs: false });
    expect(drains).toMatchObject([{ node: "web1", by: "tester@here" }]);
    await farm.report("web2", { proof: proofs(proofOf("www.example.com", "proved", { thumbprint: "B2" })) });
    expect((await farm.operations.status()).problems).toContain("www.example.com: nodes serve different certificates");
  });

  it("says that the balancer does not answer", async () => {
    const balancer = "balancer: { addresses: [127.0.0.1], ports: { 443: 9443 }, health: '127.0.0.1:1' }\n";
    await farm.operations.config.apply({ yaml: farmYaml(WWW) + balancer });
    const status = await farm.operations.status();
    expect(status.balancer).toMatchObject({ kind: "silent", problem: "ECONNREFUSED" });
    expect(status.problems.join("\n")).toContain("the balancer does not answer at http://127.0.0.1:1/state: ECONNREFUSED");
  });

  it("keeps to 1,000 hosts, those with problems first, and says so", async () => {
    const many = Array.from({ length: 1_200 }, (_, at) => proofOf(`a${at}.example.com`, "proved"));
    await farm.report("web1", { proof: proofs(...many, proofOf("z.example.com", "failed")) });
    const { matrix } = await farm.operations.status();
    expect(matrix.rows).toHaveLength(1_000);
    expect(matrix).toMatchObject({ cut: true, known: 1_201 });
    expect(matrix.rows[0]?.host).toBe("z.example.com");
  });
});

describe("verbs that ask nodes", () => {
  const ending = new AbortController();
  afterAll(() => ending.abort());

  beforeEach(async () => {
    await farm.operations.config.apply({ yaml: farmYaml(WWW) });
  });

  it("answers for each node by itself: one that fails holds back nobody", async () => {
    const key = { kind: "ip", address: "127.0.0.1", port: 443 };
    farm.answer(
      "web1",
      (verb) =>
        verb === "table.show"
          ? { rows: [{ key, file: "a.pfx", origin: "operator", appId: "{x}" }], drift: [], reconcile: "mend" }
          : { files: [{ file: "a.pfx", status: "ok", servingEarlierVersion: false, thumbprint: "AB" }] },
      ending.signal,
    );
    farm.answer(
      "web2",
      () => {
        throw new FarmError("NODE_DISK", "web2 cannot read its table");
      },
      ending.signal,
    );
    const [one, two] = await farm.operations.nodes.bindings(undefined, "table");
    expect(one).toMatchObject({ node: "web1", kind: "answer", answer: { rows: [{ text: "ip:127.0.0.1:443", thumbprint: "AB" }] } });
    expect(one?.kind === "answer" && one.answer.text).toMatch(/^ROW .*\nip:127\.0\.0\.1:443 +a\.pfx +AB/);
    expect(two).toMatchObject({ node: "web2", kind: "problem", problem: { code: "NODE_DISK" } });
  });

  it("names the nodes there are, and the one that was probably meant", async () => {
    const error = await farm.operations.drain("wbe1").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "NODE_UNKNOWN", facts: { nodes: ["web1", "web2"], suggestion: "web1" } });
  });

  it("checks a row before it asks the node", async () => {
    expect(await codeOf(farm.operations.nodes.addBinding("web1", { row: "nonsense" }))).toBe("BINDING_ROW_INVALID");
    expect(await codeOf(farm.operations.nodes.deleteBinding("web9", "central:443"))).toBe("NODE_UNKNOWN");
  });

  it("gives the newest refusals first, then by the cursor only those that came since", async () => {
    let total = 5;
    farm.answer(
      "web1",
      (_verb, input) => {
        const { after, limit } = input as { after: number; limit: number };
        const entries = Array.from({ length: total - after }, (_, at) => ({ sequence: after + at + 1 })).slice(0, limit);
        return { entries, dropped: 0, total };
      },
      ending.signal,
    );
    const sequences = ({ nodes: [first] }: Awaited<ReturnType<typeof farm.operations.nodes.refusals>>) =>
      first?.kind === "answer" ? first.answer.entries.map(({ sequence }) => sequence) : first?.problem;
    const first = await farm.operations.nodes.refusals({ node: "web1", limit: 2 });
    expect(sequences(first)).toEqual([4, 5]);
    total = 7;
    const second = await farm.operations.nodes.refusals({ node: "web1", limit: 10, cursor: first.cursor });
    expect(sequences(second)).toEqual([6, 7]);
    total = 1; // the node was started again
    const third = await farm.operations.nodes.refusals({ node: "web1", limit: 10, cursor: second.cursor });
    expect(sequences(third)).toEqual([]);
    expect(third.cursor).toBe("web1:1");
    expect(await codeOf(farm.operations.nodes.refusals({ limit: 1, cursor: "web1:x" }))).toBe("ADMIN_INPUT_INVALID");
  });
});

describe("drains", () => {
  it("may be repeated, and undone for a node that left the farm", async () => {
    await farm.operations.config.apply({ yaml: farmYaml(WWW) });
    await farm.operations.drain("web1", "first@here");
    await farm.operations.drain("web1", "second@here");
    expect((await farm.operations.status()).drains).toMatchObject([{ node: "web1", by: "first@here" }]);
    await farm.operations.undrain("web1");
    await farm.operations.undrain("web1");
    expect((await farm.operations.status()).drains).toEqual([]);
    expect(await codeOf(farm.operations.undrain("web9"))).toBe("NODE_UNKNOWN");
  });
});
