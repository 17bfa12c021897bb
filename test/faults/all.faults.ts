import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { RENEWED, startFaultFarm, type FaultFarm } from "./fault-farm.ts";
import { FAULTS } from "./faults.ts";
import type { RequestRecord } from "./load/types.ts";
import { play, RECOVERY_MS, type Seen } from "./stage.ts";
import { writeTable } from "./table.ts";
import { startWriters, type Writers, type WritersReport } from "./writers.ts";

const selection = process.env["FAULTS"] ?? "short";
const [isAll, isShort] = [selection === "all", selection === "short"];
const chosen = FAULTS.filter(
  (fault) => isAll || (isShort ? fault.short === true : selection.split(";").some((part) => fault.name.includes(part))),
);

/** Everything that one line of a report can hold of requests that must not be. */
const brief = (records: Seen["wrong"]): readonly string[] => records.slice(0, 10).map((record) => JSON.stringify(record));

/** Failed requests that were under way during none of the faults. */
const betweenFaults = (records: readonly RequestRecord[], seen: readonly Seen[]): readonly RequestRecord[] =>
  records.filter(({ x, s, e }) => x !== undefined && !seen.some(({ moments }) => e >= moments.beganMs && s <= moments.provedMs));

describe(`a farm of four nodes, two balancers and three etcd members, under load (${selection})`, () => {
  let farm: FaultFarm;
  let writers: Writers;
  const seen: Seen[] = [];
  const startedMs = Date.now();
  beforeAll(async () => {
    farm = await startFaultFarm();
    writers = await startWriters(farm.store, RENEWED);
  });
  afterAll(async () => farm?.stop());

  it.each(chosen)("$name", async (fault) => {
    const written = writers.acknowledged;
    const said = farm.marks();
    const result = await play(farm, fault, isShort);
    seen.push(result);
    const { requests, failed, slowestMs, recoveryMs } = result;
    console.log(
      `${fault.name}: ${requests} requests, ${failed} failed, slowest ${Math.round(slowestMs)} ms, proved after ${Math.round(recoveryMs)} ms, ${writers.acknowledged - written} writes`,
    );
    if (result.wrong.length + result.inexcusable.length > 0 || recoveryMs > RECOVERY_MS)
      console.log([...brief(result.wrong), ...brief(result.inexcusable), farm.saidSince(said)].join("\n"));
    expect(brief(result.wrong), "certificates that are not the host's").toEqual([]);
    expect(brief(result.inexcusable), "failed requests without an excuse").toEqual([]);
    if (fault.atMost !== undefined) expect(failed).toBeLessThanOrEqual(fault.atMost(farm));
    expect(recoveryMs).toBeLessThan(RECOVERY_MS);
  });

  it("nothing acknowledged is lost, nothing is accepted twice, nothing is missed by a watcher", async () => {
    const report: WritersReport = await writers.finish();
    console.log(JSON.stringify(report));
    expect(report).toMatchObject({ lost: [], twice: [], gaps: [] });
    expect(report.acknowledged).toBeGreaterThan(0);
    expect(brief(betweenFaults(farm.load.records, seen)), "requests that failed between the faults").toEqual([]);
    if (isAll) await writeTable(seen, report, { startedMs, requests: farm.load.records.length });
  });
});
