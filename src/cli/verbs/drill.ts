import type { RouteOutput } from "../../admin/client.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { brief, clean, count, formatTime } from "../text.ts";

type Score = RouteOutput<"drill.start">;

/** `certfarm drill list`. */
export async function listDrills(session: Session): Promise<ExitCode> {
  const client = await session.farm();
  const { drills } = await client.call("drill.list", {});
  if (session.json) {
    session.printJson(drills);
    return 0;
  }
  const rows = drills.map(({ name, title, finding, noticed, repair }) => [
    name,
    title,
    finding,
    noticed ? "leaves it out" : "goes on",
    repair ? "repair" : "drill stop",
  ]);
  session.print(formatTable(["drill", "what", "named by", "balancer", "mended by"], rows, session));
  return 0;
}

/** Options of `certfarm drill start`. */
export interface StartOptions {
  readonly node?: string;
  readonly host?: string;
  readonly for?: number;
  readonly watch?: number;
}

/** `certfarm drill start`: 1 = the node should have been left out and was not, or a client met the fault. */
export async function startDrill(session: Session, name: string, options: StartOptions): Promise<ExitCode> {
  const client = await session.farm();
  const { node, host, for: forSeconds, watch } = options;
  const score = await client.call("drill.start", {
    name,
    by: session.host.user,
    ...(node === undefined ? {} : { node }),
    ...(host === undefined ? {} : { host }),
    ...(forSeconds === undefined ? {} : { forMs: forSeconds * 1_000 }),
    ...(watch === undefined ? {} : { watchMs: watch * 1_000 }),
  });
  if (session.json) session.printJson(score);
  else session.print(startText(session, score));
  return score.isWell ? 0 : 1;
}

function startText({ paint, symbols }: Session, score: Score): string {
  const { drill, node, host, did, clients, noticedMs, isToBeNoticed, isWell, finding, untilAt } = score;
  const good = (isOk: boolean): string => (isOk ? paint("green", symbols.good) : paint("red", symbols.bad));
  const noticed =
    noticedMs !== undefined
      ? `${good(true)} the balancer leaves ${clean(node)} out for ${clean(host)}, after ${seconds(noticedMs)}`
      : isToBeNoticed
        ? `${good(false)} the balancer still gives ${clean(host)} to ${clean(node)}`
        : `${paint("dim", symbols.none)} nothing for the balancer to do: the node serves on`;
  const met =
    clients === undefined
      ? []
      : [
          `${good(isWell)} ${count(clients.dialled, "handshake")} through the balancer, ${clients.failed === 0 ? "none failed" : `${clients.failed} failed${isWell && isToBeNoticed ? " before that" : ""}: ${brief(clients.first ?? "")}`}`,
        ];
  return [
    `${paint("yellow", symbols.warn)} ${clean(drill)} on ${clean(node)} for ${clean(host)}: ${brief(did ?? "")}`,
    noticed,
    ...met,
    `  certfarm doctor should find ${clean(finding)}; it ends with certfarm drill stop, or at ${formatTime(untilAt)}`,
  ].join("\n");
}

/** `certfarm drill stop`: 1 = a host is not proved again yet. */
export async function stopDrills(session: Session, name: string | undefined): Promise<ExitCode> {
  const client = await session.farm();
  const { drills } = await client.call("drill.stop", name === undefined ? {} : { name });
  if (session.json) session.printJson(drills);
  else if (drills.length === 0) session.print("no drill runs");
  for (const { drill, node, host, mendedAt } of session.json ? [] : drills) {
    const { paint, symbols } = session;
    const isBack = mendedAt !== undefined;
    const sign = isBack ? paint("green", symbols.good) : paint("red", symbols.bad);
    const how = isBack ? "is over, and the host is proved again" : "is over, but the host is not proved again yet";
    session.print(`${sign} ${clean(drill)} on ${clean(node)} for ${clean(host)} ${how}`);
  }
  return drills.every(({ mendedAt }) => mendedAt !== undefined) ? 0 : 1;
}

/** `certfarm drill score`. */
export async function scoreDrills(session: Session, { limit }: { readonly limit?: number }): Promise<ExitCode> {
  const client = await session.farm();
  const { drills } = await client.call("drill.score", limit === undefined ? {} : { limit });
  if (session.json) session.printJson(drills);
  else if (drills.length === 0) session.print("no drill was ever started here");
  else
    session.print(
      formatTable(["started", "drill", "node", "host", "noticed", "named", "mended", "clients", "state"], drills.map(row), session),
    );
  return 0;
}

function row(score: Score): readonly string[] {
  const { startedAt, drill, node, host, noticedMs, namedMs, mendedMs, clients, state, endedBy, isToBeNoticed } = score;
  return [
    formatTime(startedAt),
    clean(drill),
    clean(node),
    clean(host),
    noticedMs === undefined ? (isToBeNoticed ? "no" : "needless") : seconds(noticedMs),
    namedMs === undefined ? "no" : seconds(namedMs),
    mendedMs === undefined ? "no" : seconds(mendedMs),
    clients === undefined ? "" : `${clients.failed} of ${clients.dialled} failed`,
    state === "running" ? "running" : brief(endedBy ?? "over"),
  ];
}

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 0)} s`;
