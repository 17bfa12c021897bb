import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { Transport } from "../../admin/client.ts";
import { FarmError } from "../../base/index.ts";
import type { CliHost } from "../host.ts";
import type { DoctorReport } from "../reports/types.ts";
import { runCli } from "../run-cli.ts";
import { startCannedFarm, type CannedFarm } from "../testing/canned-farm.ts";
import { GOOD, NOT_LOOKED, brokenFarm, finding, report, reset } from "../testing/sample-report.ts";
import { testHost } from "../testing/test-host.ts";

let folder = "";
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "certfarm-doctor-"));
});
afterAll(() => rm(folder, { recursive: true }));

let farm: CannedFarm | undefined;
afterEach(async () => {
  await farm?.close();
  farm = undefined;
});

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly asked: readonly { readonly name: string; readonly input: unknown }[];
}

/** Runs a call in this process; what is done here answers with these reports in turn, the last again and again. */
async function here(args: readonly string[], reports: readonly (DoctorReport | Error)[], changes: Partial<CliHost> = {}): Promise<Outcome> {
  const asked: { name: string; input: unknown }[] = [];
  const transport: Transport = (name, input) => {
    const answer = reports[Math.min(asked.length, reports.length - 1)];
    asked.push({ name, input });
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(JSON.parse(JSON.stringify(answer)));
  };
  const host = testHost({ local: () => Promise.resolve(transport), ...changes });
  const code = await runCli(args, host);
  return { code, ...host.written, asked };
}

const BY_ADDRESS = ["doctor", "www.example.com", "--nodes", "10.0.0.4,[::1]:443"];

describe("looking from here", () => {
  it("asks for what the command line names, and needs no farm", async () => {
    await writeFile(at("hosts.txt"), "# ours\nshop.example.com  old.example.com # and more\r\n\nwww.example.com\n");
    await writeFile(at("nodes.txt"), "10.0.0.6:8443\n");
    await writeFile(at("ca.pem"), "roots");
    const options = ["--hosts-file", at("hosts.txt"), "--nodes-file", at("nodes.txt"), "--via", "lb.example.com", "--ca", at("ca.pem")];
    const more = [
      "--evidence",
      "web1.json,web2.json",
      "--evidence",
      "more",
      "--share",
      "certs",
      "--password-file",
      "p",
      "--nginx",
      "nginx.conf",
    ];
    const { asked, code } = await here(
      [...BY_ADDRESS, ...options, ...more, "--haproxy", "a.cfg", "--deep", "--timeout", "3", "--concurrency", "9"],
      [brokenFarm()],
    );
    expect(code).toBe(1);
    expect(asked).toEqual([
      {
        name: "doctor.here",
        input: {
          hosts: ["www.example.com", "shop.example.com", "old.example.com"],
          nodes: ["10.0.0.4", "[::1]:443", "10.0.0.6:8443"],
          via: "lb.example.com",
          evidence: ["web1.json", "web2.json", "more"],
          share: "certs",
          passwordFile: "p",
          nginx: ["nginx.conf"],
          haproxy: ["a.cfg"],
          caPem: "roots",
          deep: true,
          timeoutMs: 3_000,
          concurrency: 9,
        },
      },
    ]);
  });

  it.each<[string, DoctorReport, number]>([
    ["0 when all is well", report({ a: [GOOD] }), 0],
    ["0 with notices alone", report({ a: [GOOD] }, { findings: [finding({ severity: "notice" })] }), 0],
    ["1 with findings", brokenFarm(), 1],
    ["2 when nothing could be looked at", report({ a: [NOT_LOOKED] }), 2],
  ])("exits with %s", async (_name, answer, code) => {
    expect((await here(BY_ADDRESS, [answer])).code).toBe(code);
  });

  it("says which command comes next", async () => {
    expect((await here(BY_ADDRESS, [brokenFarm()])).out).toContain("\n→ certfarm iis collect > collect-evidence.ps1");
    const iis = { ...brokenFarm(), nodes: brokenFarm().nodes.map((node) => ({ ...node, make: "iis" as const })) };
    expect((await here(["doctor", "--evidence", "web 1.json"], [iis])).out).toContain(
      "\n→ certfarm repair --evidence 'web 1.json' --script scripts\n→ certfarm doctor rule central-row-missing\n",
    );
    expect((await here(BY_ADDRESS, [report({ a: [GOOD] })])).out).not.toContain("→");
  });

  it("prints what is known when the operator breaks it off", async () => {
    const controller = new AbortController();
    const partial = report({ a: [GOOD], b: [NOT_LOOKED] }, { gaps: [{ what: "probes", why: "broken off after 1 of 2 cells" }] });
    const local = (): Promise<Transport> =>
      Promise.resolve((_name, _input, { signal }) => {
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve(partial), { once: true });
          controller.abort();
        });
      });
    const host = testHost({ local, signal: controller.signal });
    expect(await runCli(BY_ADDRESS, host)).toBe(0);
    expect(host.written.out).toContain("1 host was not looked at on any node: b");
    expect(host.written.out).toContain("broken off after 1 of 2 cells");
  });
});

describe("outputs", () => {
  it("writes a page, JUnit and Prometheus text beside what is printed, and leaves no draft", async () => {
    const files = ["--html", at("r.html"), "--junit", at("r.xml"), "--prometheus", at("r.prom")];
    const { out } = await here([...BY_ADDRESS, ...files], [brokenFarm()]);
    expect(out).toContain("web2 has no central row");
    expect(await readFile(at("r.html"), "utf8")).toMatch(/^<!doctype html>/);
    expect(await readFile(at("r.xml"), "utf8")).toMatch(/^<\?xml/);
    expect(await readFile(at("r.prom"), "utf8")).toMatch(/^# HELP certfarm_tls_ok /);
    expect((await readdir(folder)).filter((name) => name.includes("tmp"))).toEqual([]);
  });

  it("prints one form on standard output", async () => {
    expect((await here([...BY_ADDRESS, "--junit"], [brokenFarm()])).out).toMatch(/^<\?xml[^]*<\/testsuites>\n$/);
    expect((await here([...BY_ADDRESS, "--prometheus"], [brokenFarm()])).out).toMatch(
      /^# HELP[^]*certfarm_doctor_timestamp_seconds \d+\n$/,
    );
    expect(JSON.parse((await here([...BY_ADDRESS, "--json"], [brokenFarm()])).out)).toEqual(brokenFarm());
  });

  it("escapes in JSON what a terminal would obey", async () => {
    const sly = report({ "a\u009b31m\u202e\u{e0001}": [GOOD] });
    const { out } = await here([...BY_ADDRESS, "--json"], [sly]);
    expect(out).not.toMatch(/[^\n\P{C}]/u);
    expect(JSON.parse(out)).toEqual(sly);
  });

  it.each<[string, readonly string[], RegExp]>([
    ["two forms for standard output", ["--prometheus", "--junit"], /--junit and --prometheus both want standard output/],
    ["a host taken for a file", ["--junit", "www.example.com"], /must end in \.xml; put hosts before the option/],
    ["a page that is none", ["--html", "www.example.com"], /must end in \.html or \.htm/],
    ["a watch that writes to standard output", ["--watch", "--prometheus"], /--prometheus with --watch needs a file/],
    ["a comparison that watches", ["--watch", "--since", "x.json"], /do not go together/],
    ["a watch without a time", ["--watch", "0"], /not a whole number from 1/],
    ["a node of the farm among servers", ["--node", "web1"], /--node names a node of the running farm/],
    ["a list that is not there", ["--hosts-file", "absent.txt"], /absent\.txt cannot be read: ENOENT \(INPUT_FILE_UNUSABLE\)/],
    ["a folder that is not there", ["--html", "absent/r.html"], /absent\/r\.html cannot be written: ENOENT \(OUTPUT_FILE_UNWRITABLE\)/],
  ])("refuses %s", async (_name, options, message) => {
    const { code, err } = await here([...BY_ADDRESS, ...options], [brokenFarm()]);
    expect([code, err]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe("--since", () => {
  it("tells what changed since a report that was kept", async () => {
    await writeFile(at("old.json"), JSON.stringify(brokenFarm()));
    const { code, out } = await here([...BY_ADDRESS, "--since", at("old.json")], [report({ "www.example.com": [GOOD, GOOD, GOOD, GOOD] })]);
    expect(code).toBe(0);
    expect(out).toMatch(/\nSince 2026-06-15T12:00:00Z:\n {2}✓ gone: web2 has no central row/);
    expect(out).toContain("≠ www.example.com on web2: ✗ reset → ✓ good");
  });

  it("in JSON too", async () => {
    const { out } = await here([...BY_ADDRESS, "--since", at("old.json"), "--json"], [brokenFarm()]);
    expect(JSON.parse(out)).toMatchObject({ changes: { appeared: [], gone: [], cells: [] } });
  });

  it.each([
    ["no JSON", "{"],
    ["another file", `{"at": 1}`],
    ["wrong types", JSON.stringify({ ...brokenFarm(), matrix: [{ host: 1, cells: {} }] })],
    ["a very deep one", "[".repeat(200_000)],
  ])("refuses %s", async (_name, text) => {
    await writeFile(at("bad.json"), text);
    const { code, err } = await here([...BY_ADDRESS, "--since", at("bad.json")], [brokenFarm()]);
    expect([code, err]).toEqual([2, expect.stringMatching(/bad\.json is no report of .*\(INPUT_FILE_UNUSABLE\)/)]);
  });
});

describe("--watch", () => {
  /** A host whose operator presses Ctrl-C when a text has been printed. */
  function until(text: RegExp): { readonly changes: Partial<CliHost>; readonly printed: () => string } {
    const controller = new AbortController();
    let printed = "";
    const terminal = {
      isTerminal: false,
      columns: undefined,
      write(part: string) {
        printed += part;
        if (text.test(printed)) controller.abort();
      },
    };
    return { changes: { out: terminal, err: terminal, signal: controller.signal }, printed: () => printed };
  }

  it("prints the whole report once, then what changed, and exits as the last look did", async () => {
    const { changes, printed } = until(/gone: web3/);
    const well = { ...report({ a: [GOOD] }), at: brokenFarm().at + 4_000 };
    const ill = report({ a: [reset("F-00000001")] }, { findings: [finding()] });
    expect((await here([...BY_ADDRESS, "--watch", "1"], [ill, ill, well], changes)).code).toBe(0);
    expect(printed().match(/1 host on 1 node/g)).toHaveLength(1);
    expect(printed()).toMatch(
      /\n2026-06-15T12:00:04Z {2}✓ gone: web3 has no central row on port 443 .*\n2026-06-15T12:00:04Z {2}≠ a on web1: ✗ reset → ✓ good\n$/,
    );
  });

  it("goes on when a look fails, and says so once", async () => {
    const { changes, printed } = until(/≠ a/);
    const away = new FarmError("ADMIN_NOT_RUNNING", "nothing listens there");
    await here([...BY_ADDRESS, "--watch", "1", "--json"], [report({ a: [GOOD] }), away, away, report({ a: [reset()] })], {
      ...changes,
      out: { isTerminal: false, columns: undefined, write: (text) => changes.out?.write(text.includes('"changes"') ? "≠ a" : text) },
    });
    expect(printed().match(/certfarm: nothing listens there/g)).toHaveLength(1);
    expect(JSON.parse(printed().split("\n")[0] ?? "")).toMatchObject({ report: { matrix: [{ host: "a" }] } });
  });

  it("ends at once when the first look fails", async () => {
    const { code, err } = await here([...BY_ADDRESS, "--watch"], [new FarmError("DOCTOR_NOTHING_TO_LOOK_AT", "no host was named")]);
    expect([code, err]).toEqual([2, expect.stringContaining("no host was named")]);
  });
});

describe("looking at the farm", () => {
  it("asks the admin API, for some nodes and hosts or for all", async () => {
    farm = await startCannedFarm({ doctor: () => ({ progress: [{ phase: "probes", done: 1, total: 2 }], result: brokenFarm() }) });
    const host = testHost();
    expect(await runCli(["doctor", ...farm.options], host)).toBe(1);
    expect(host.written.out).toContain("→ certfarm repair --dry-run");
    await runCli(["doctor", "www.example.com", "--node", "web1", "--node", "web2", "--deep", ...farm.options], host);
    expect(farm.asked.map(({ input }) => input)).toEqual([{}, { hosts: ["www.example.com"], nodes: ["web1", "web2"], deep: true }]);
  });

  it("says so when it is broken off before there is an answer", async () => {
    const controller = new AbortController();
    const started = () => {
      controller.abort();
      return { progress: [{ phase: "probes", done: 1, total: 2 }] };
    };
    farm = await startCannedFarm({ doctor: started });
    const host = testHost({ signal: controller.signal });
    expect(await runCli(["doctor", ...farm.options], host)).toBe(2);
    expect(host.written).toEqual({ out: "", err: "Broken off before the farm had an answer.\n" });
  });

  it("takes no option of looking from here", async () => {
    const host = testHost();
    expect(await runCli(["doctor", "--password-file", "p"], host)).toBe(2);
    expect(host.written.err).toContain("--password-file goes with --share or --evidence");
  });

  it("says how to look without a farm when there is none", async () => {
    const host = testHost();
    expect(await runCli(["doctor", "www.example.com", "--farm", at("none")], host)).toBe(2);
    expect(host.written.err).toMatch(/name servers with --nodes ADDRESS,… or files with --evidence FILE,… \(ADMIN_NOT_RUNNING\)/);
  });
});
