import { describe, expect, test } from "vitest";

import type { NodeEvidence } from "../evidence.ts";
import { at, ask, RESET, served, type Script } from "../testing/examination.ts";
import { anyRow, centralFile, centralRow, centralStore, certfarmNode, fileReading, iisNode, table } from "../testing/evidence.ts";
import { centralPasswordDiffers } from "./central-password-differs.ts";
import { startedBeforeStore } from "./started-before-store.ts";

const HOSTS = ["www.example.com", "shop.example.com"];
const FILES = HOSTS.map((host) => `${host}.pfx`);
const ok = Object.fromEntries(HOSTS.map((host) => [host, served(host)]));
const dead = Object.fromEntries(HOSTS.map((host) => [host, RESET]));
const unread = FILES.map((name) => centralFile(name, { reading: fileReading(name, "wrong-password") }));

describe("a node that read the files itself", () => {
  const cells = { web1: ok, web2: dead };
  test.each([
    ["IIS", iisNode(HOSTS), iisNode(HOSTS, { central: centralStore(unread) })],
    ["certfarm", certfarmNode(HOSTS), certfarmNode(HOSTS, { central: { source: "report", access: { kind: "readable" }, files: unread } })],
  ])("%s: the password is wrong there, and right on a peer", (_make, web1, web2) => {
    const { findings } = ask(centralPasswordDiffers, { cells, evidence: { web1, web2 } });
    expect(findings).toMatchObject([
      { summary: "web2 does not have the password of the certificate files", nodes: ["web2"], certainty: "certain", explains: [{}, {}] },
    ]);
    expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
      "www.example.com.pfx and shop.example.com.pfx: the password does not open them",
      "web1 opened www.example.com.pfx",
    ]);
  });

  test("a file that nobody can open is not the node's fault", () => {
    const evidence = { web1: iisNode(HOSTS, { central: centralStore(unread) }), web2: iisNode(HOSTS, { central: centralStore(unread) }) };
    expect(ask(centralPasswordDiffers, { cells: { web1: dead, web2: dead }, evidence }).status).toBe("passed");
  });
});

test("a node without a password, where its peer has one", () => {
  const { findings } = ask(centralPasswordDiffers, {
    cells: { web1: ok, web2: dead },
    evidence: {
      web1: iisNode(HOSTS),
      web2: iisNode(HOSTS, {
        central: centralStore(
          FILES.map((name) => centralFile(name)),
          { hasPassword: false },
        ),
      }),
    },
  });
  expect(findings).toMatchObject([{ nodes: ["web2"], certainty: "certain" }]);
  expect(findings[0]?.proof[0]?.text).toBe("no password for the files is set");
});

describe("everything is as it should be, and every central name is dead", () => {
  const verdict = (web2: NodeEvidence, cells: Script["cells"] = { web1: ok, web2: dead }): readonly string[] =>
    [centralPasswordDiffers, startedBeforeStore].flatMap((rule) =>
      ask(rule, { cells, evidence: { web1: iisNode(HOSTS), web2 } }).findings.map(({ code, certainty }) => `${code} ${certainty}`),
    );
  const noReadings = (changes: Partial<NodeEvidence> = {}): NodeEvidence =>
    iisNode(HOSTS, { central: centralStore(FILES.map((name) => ({ name, size: 3000 }))), ...changes });

  test.each<[string, NodeEvidence, Script["cells"] | undefined, readonly string[]]>([
    ["likely the password", noReadings(), undefined, ["central-password-differs likely"]],
    [
      "soon after a start rather that",
      noReadings({ system: { source: "system", name: "Windows", version: "10", startedAt: at(-0.1) } }),
      undefined,
      ["started-before-store likely"],
    ],
    ["not when one of them is served", noReadings(), { web1: ok, web2: { ...dead, "shop.example.com": served("shop.example.com") } }, []],
    ["not when their files are absent", iisNode(HOSTS, { central: centralStore([]) }), undefined, []],
    ["not without the central row", noReadings({ table: table(anyRow(4, "x.example.com")) }), undefined, []],
    ["not when peers do not serve them either", noReadings({ table: table(centralRow()) }), { web1: dead, web2: dead }, []],
    [
      "not when reading was denied",
      iisNode(HOSTS, { central: centralStore(FILES.map((name) => centralFile(name, { access: "denied" }))) }),
      undefined,
      [],
    ],
    [
      "not when an older Windows cannot open the files",
      iisNode(HOSTS, {
        system: { source: "system", name: "Windows Server 2012 R2", version: "6.3", build: 9600, startedAt: at(-9) },
        central: centralStore(FILES.map((name) => withRefusal(name))),
      }),
      undefined,
      [],
    ],
  ])("%s", (_name, web2, cells, codes) => {
    expect(verdict(web2, cells)).toEqual(codes);
  });
});

function withRefusal(name: string) {
  const file = centralFile(name);
  const { facts } = file.reading ?? {};
  return {
    ...file,
    reading: { status: "ok" as const, ...(facts === undefined ? {} : { facts: { ...facts, refusedBy: ["Windows Server 2016"] } }) },
  };
}

test("cannot look where reading was not tried", () => {
  const evidence = { web1: iisNode(HOSTS, { central: { source: "settings", enabled: true } }) };
  expect(ask(centralPasswordDiffers, { evidence }).status).toBe("could-not-look");
  expect(ask(startedBeforeStore, { evidence }).status).toBe("could-not-look");
});
