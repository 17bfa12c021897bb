import { readFile, writeFile } from "node:fs/promises";
import { arch, cpus, release, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

import type { Seen } from "./stage.ts";
import type { WritersReport } from "./writers.ts";

const PAGE = fileURLToPath(new URL("../../docs/faults.md", import.meta.url));
const [BEGIN, END] = ["<!-- made by npm run test:faults all -->", "<!-- end of what is made -->"];

/** Writes what a full run saw between the marks of docs/faults.md. */
export async function writeTable(
  seen: readonly Seen[],
  writers: WritersReport,
  run: { readonly startedMs: number; readonly requests: number },
): Promise<void> {
  const page = await readFile(PAGE, "utf8");
  const [head = "", rest = ""] = page.split(BEGIN);
  const [, tail = ""] = rest.split(END);
  await writeFile(PAGE, `${head}${BEGIN}\n\n${tableOf(seen, writers, run)}\n\n${END}${tail}`);
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function tableOf(seen: readonly Seen[], writers: WritersReport, run: { readonly startedMs: number; readonly requests: number }): string {
  const machine = `${cpus().length} processors, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, ${arch()}, Node ${process.version}`;
  const rows = seen.map(({ name, lastedMs, requests, failed, mayFail, slowestMs, recoveryMs }) =>
    [name, seconds(lastedMs), requests, failed, mayFail, seconds(slowestMs), seconds(recoveryMs)].join(" | "),
  );
  return [
    `${new Date(run.startedMs).toISOString().slice(0, 10)}, ${machine}, ${run.requests} requests in all.`,
    "",
    "| fault | lasted | requests | failed | what may fail | slowest answer | proved again after |",
    "|---|---:|---:|---:|---|---:|---:|",
    ...rows.map((row) => `| ${row} |`),
    "",
    `Over the whole run: ${writers.acknowledged} acknowledged writes, ${writers.unanswered} without an answer, ${writers.conflicts} conflicts,`,
    `${writers.replaced} certificates replaced. Acknowledged writes lost: ${writers.lost.length}. Expected revisions accepted twice: ${writers.twice.length}.`,
    `Watch gaps: ${writers.gaps.length}. Certificates served that were not the host's: ${seen.reduce((sum, { wrong }) => sum + wrong.length, 0)}.`,
  ].join("\n");
}
