import type { Clock } from "../../base/index.ts";
import type { Cell, ExaminedHost, ExaminedNode, Gap } from "../../doctor/index.ts";
import { lookAround } from "../../probe/index.ts";
import type { DialSettings, LookControl } from "./look-settings.ts";

/** Servers and the hosts to ask each for. */
export interface DialGroup {
  readonly nodes: readonly Omit<ExaminedNode, "evidence">[];
  readonly hosts: readonly Pick<ExaminedHost, "name" | "nodes">[];
}

/** Dials group after group. @throws PROBE_ROOTS_INVALID */
export async function dialGroups(
  groups: readonly DialGroup[],
  { clock, ...settings }: DialSettings & { readonly clock: Clock },
  control: LookControl,
): Promise<{ readonly cells: readonly Cell[]; readonly gaps: readonly Gap[] }> {
  const { deep, timeoutMs, concurrency, caPem } = settings;
  const cells: Cell[] = [];
  const gaps: Gap[] = [];
  // What earlier groups took counts as done.
  let before = 0;
  for (const { nodes, hosts } of groups) {
    if (hosts.length === 0 || nodes.length === 0) continue;
    let last = 0;
    const plan = {
      nodes,
      hosts,
      ...(deep === undefined ? {} : { deep }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(concurrency === undefined ? {} : { perEndpoint: concurrency }),
      ...(caPem === undefined ? {} : { ca: [caPem] }),
    };
    const result = await lookAround(plan, {
      clock,
      ...(control.signal === undefined ? {} : { signal: control.signal }),
      onProgress: ({ done, total }) => {
        last = total;
        control.onProgress?.({ phase: "probes", done: before + done, total: before + total });
      },
    });
    before += last;
    cells.push(...result.cells);
    gaps.push(...result.gaps);
  }
  return { cells, gaps };
}
