import type { AdminClient, RouteInput, RouteOutput, RouteProgress } from "../../admin/client.ts";
import { FarmError } from "../../base/index.ts";
import type { CliHost } from "../host.ts";
import { createProgressBar, type ProgressBar } from "../progress-bar.ts";
import { renderHistory, renderPlan, renderResult } from "../reports/render-repair.ts";
import type { ExitCode, Session } from "../session.ts";
import { clean, count } from "../text.ts";
import { dialInput, isHere, type LookOptions } from "./look.ts";
import { withBar } from "./doctor.ts";

type Plan = RouteOutput<"repair.plan">;

/** Options of `certfarm repair`. */
export interface RepairOptions extends LookOptions {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

/** `certfarm repair`: 0 all is mended or nothing needs to be, 1 something remains, 4 not agreed to. With `--dry-run` 1 when there is something to mend. */
export async function repair(session: Session, findings: readonly string[], options: RepairOptions): Promise<ExitCode> {
  const asks = options.dryRun !== true && options.yes !== true;
  check(options, session.json && asks);
  const client = await session.farm();
  const input = { ...(findings.length === 0 ? {} : { findings: [...findings] }), ...(await dialInput(options)) };
  const plan = await withBar(session, (onProgress) => client.call("repair.plan", input, { onProgress }));
  if (!session.json) session.print(renderPlan(plan, session));
  if (options.dryRun === true || !hasSteps(plan)) {
    if (session.json) session.printJson(plan);
    return isEmpty(plan) ? 0 : 1;
  }
  if (asks) await agree(session.host, plan);
  const result = await run(session, client, { ...input, steps: stepIds(plan), by: session.host.user });
  if (session.json) session.printJson(result);
  else session.print(renderResult(result, session));
  return codeOf(result);
}

/** @throws USAGE */
function check(options: RepairOptions, isMute: boolean): void {
  if (isHere(options)) throw new FarmError("USAGE", "servers that are not of this farm are mended by scripts: add --script DIR");
  if (isMute) throw new FarmError("USAGE", "--json needs --dry-run or --yes: there is nobody to ask");
}

const codeOf = ({ outcome, plan }: RouteOutput<"repair.run">): ExitCode =>
  outcome === "mended" || (outcome === "nothing-to-do" && isEmpty(plan)) ? 0 : 1;

async function run(session: Session, client: AdminClient, input: RouteInput<"repair.run">): Promise<RouteOutput<"repair.run">> {
  const bar = createProgressBar(session.host.err, "repairing");
  try {
    return await client.call("repair.run", input, { onProgress: (progress) => tell(session, bar, progress) });
  } catch (error) {
    if (session.host.signal.aborted) {
      session.host.err.write("The farm ends the step under way and begins no other; see: certfarm repair history\n");
    }
    throw error;
  } finally {
    bar.end();
  }
}

const stepIds = ({ nodes }: Plan): readonly string[] => nodes.flatMap(({ steps }) => steps.map(({ id }) => id));

const hasSteps = (plan: Plan): boolean => stepIds(plan).length + plan.interrupted.length > 0;

const isEmpty = ({ nodes, refused, manual, interrupted }: Plan): boolean =>
  nodes.every(({ steps }) => steps.length === 0) && refused.length + manual.length + interrupted.length === 0;

/** @throws REPAIR_NOT_AGREED */
async function agree(host: CliHost, plan: Plan): Promise<void> {
  if (host.agree === undefined) throw new FarmError("REPAIR_NOT_AGREED", "nothing was changed: there is no terminal to ask on");
  const nodes = plan.nodes.filter(({ steps }) => steps.length > 0).length;
  const steps = stepIds(plan).length;
  const question = steps === 0 ? "Finish what was interrupted?" : `Do ${count(steps, "step")} on ${count(nodes, "node")}?`;
  if (!(await host.agree(question))) throw new FarmError("REPAIR_NOT_AGREED", "nothing was changed");
}

/** Each step that is behind is a line; the one under way stands in the bar. */
function tell(session: Session, bar: ProgressBar, progress: RouteProgress<"repair.run">): void {
  if (progress.kind === "look") return bar.update(progress.done, progress.total, clean(progress.phase));
  const { node, phase, state, text, done, total } = progress;
  bar.update(done, total, `${clean(node)} ${phase}`);
  if (state === "begun" || session.json) return;
  bar.end();
  const { paint, symbols } = session;
  const sign = state === "done" ? paint("green", symbols.good) : paint("red", symbols.bad);
  session.print(`${sign} ${clean(node)}  ${phase.padEnd(8)}${clean(text)}`);
}

/** `certfarm repair history`. */
export async function repairHistory(session: Session, options: { readonly limit?: number }): Promise<ExitCode> {
  const client = await session.farm();
  const { runs } = await client.call("repair.history", options.limit === undefined ? {} : { limit: options.limit });
  if (session.json) session.printJson(runs);
  else session.print(renderHistory(runs, session));
  return 0;
}
