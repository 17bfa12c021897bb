import { createMembers, type Members } from "../drivers/etcd/members.ts";
import { memberName, type EtcdMember } from "../drivers/etcd/url.ts";
import { listOf, numberOf, objectOf, parseObject, rangeBelow, type Json } from "../drivers/etcd/wire.ts";
import type { EtcdProbe } from "./etcd-probe.ts";
import { readQuota } from "./etcd-quota.ts";
import type { CheckFact } from "./types.ts";

interface MemberStatus {
  readonly member: EtcdMember;
  readonly problem?: string;
  readonly id?: string;
  readonly leader?: string;
  readonly version?: string;
  readonly bytes?: number;
  readonly usedBytes?: number;
  /** undefined = it does not tell. */
  readonly quotaBytes?: number | undefined;
  readonly ms: number;
}

/** https://etcd.io/docs/v3.4/op-guide/maintenance/: 2 GiB unless told. */
const DEFAULT_QUOTA = 2 * 1024 ** 3;
const FULL = 0.8;
const LIMITS = { deadlineMs: 3000, maxBytes: 1024 * 1024 };
/** Kubernetes asks for it: earlier ones may differ between members after a crash. */
const OLDEST = [3, 4, 22] as const;

/** Each member by itself, who leads, sizes and alarms. Never throws. */
export async function etcdFacts(probe: EtcdProbe): Promise<readonly CheckFact[]> {
  const members = createMembers({ ...probe, patienceMs: 10_000 });
  const statuses = await Promise.all(probe.address.members.map((member) => statusOf(probe, members, member)));
  return [
    ...statuses.map(memberFact),
    leaderFact(statuses),
    await alarmFact(probe, members),
    { name: "clocks", outcome: "ok", text: "no step compares clocks of machines" },
  ];
}

/** Removes every key below a prefix; for what a trial left. */
export async function removeBelow(probe: EtcdProbe, prefix: string): Promise<void> {
  const members = createMembers({ ...probe, patienceMs: 10_000 });
  const token = await members.login.token();
  for (const _member of probe.address.members) {
    const given = typeof token === "string" ? { token } : {};
    const verdict = await members.sendOrLeave("/v3/kv/deleterange", rangeBelow(`${prefix}/`), given);
    if (verdict.kind === "done") return;
  }
}

async function statusOf(probe: EtcdProbe, members: Members, member: EtcdMember): Promise<MemberStatus> {
  const startMs = probe.clock.monotonicMs();
  const token = await members.login.token();
  const verdict = await members.send(member, "/v3/maintenance/status", {}, typeof token === "string" ? { token } : {});
  const ms = probe.clock.monotonicMs() - startMs;
  if (verdict.kind !== "done") {
    const problem = "problem" in verdict ? verdict.problem : verdict.kind === "refused" ? verdict.error.message : verdict.kind;
    return { member, problem, ms };
  }
  const { json } = verdict;
  const text = (name: string): string => (typeof json[name] === "string" ? json[name] : "");
  const id = objectOf(json["header"])["member_id"];
  return {
    member,
    ms,
    version: text("version"),
    leader: text("leader"),
    id: typeof id === "string" ? id : "",
    bytes: sizeIn(json, "dbSize"),
    usedBytes: sizeIn(json, "dbSizeInUse"),
    quotaBytes: await readQuota(probe, member),
  };
}

const sizeIn = (json: Json, name: string): number => numberOf(json[name]);

function memberFact(status: MemberStatus): CheckFact {
  const name = memberName(status.member);
  if (status.problem !== undefined) return { name, outcome: "wrong", text: status.problem };
  const { version = "", bytes = 0, usedBytes = 0, quotaBytes = DEFAULT_QUOTA, ms, id, leader } = status;
  const share = bytes / quotaBytes;
  const text = [
    `etcd ${version}${id === leader ? ", leads" : ""}`,
    `${mb(bytes)} on disk, ${mb(usedBytes)} in use (${(share * 100).toFixed(1)} % of ${status.quotaBytes === undefined ? "the usual quota" : "the quota"} of ${mb(quotaBytes)})`,
    `answers in ${ms.toFixed(0)} ms`,
  ];
  if (isOld(version)) return { name, outcome: "wrong", text: [...text, `older than ${OLDEST.join(".")}, which may lose data`].join("; ") };
  if (share > FULL) text.push("compact and defragment it, or check --quota-backend-bytes");
  return { name, outcome: share > FULL ? "note" : "ok", text: text.join("; ") };
}

const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

function isOld(version: string): boolean {
  const parts = version.split(".").map(Number);
  for (const [at, least] of OLDEST.entries()) {
    const part = parts[at] ?? 0;
    if (part !== least) return part < least;
  }
  return false;
}

function leaderFact(statuses: readonly MemberStatus[]): CheckFact {
  const name = "cluster";
  const answering = statuses.filter(({ problem }) => problem === undefined);
  const leaders = new Set(answering.map(({ leader }) => leader));
  const [leader] = leaders;
  if (answering.length === 0) return { name, outcome: "wrong", text: "no member answers" };
  if (leaders.size > 1 || leader === "" || leader === "0") return { name, outcome: "wrong", text: "the members do not agree on a leader" };
  const versions = new Set(answering.map(({ version }) => version));
  if (versions.size > 1) return { name, outcome: "note", text: `members of different versions: ${[...versions].join(", ")}` };
  if (statuses.length < 3)
    return { name, outcome: "note", text: `${statuses.length} of its members named: name all, and have three, to outlive one` };
  return { name, outcome: "ok", text: `${answering.length} of ${statuses.length} members answer, one leads` };
}

/** Answered without the header that other replies have, so it is read as it is. */
async function alarmFact(probe: EtcdProbe, members: Members): Promise<CheckFact> {
  const name = "alarms";
  const token = await members.login.token();
  const body = JSON.stringify({ action: "GET" });
  for (const member of probe.address.members) {
    const call = {
      path: "/v3/maintenance/alarm",
      body,
      token: typeof token === "string" ? token : undefined,
      ...LIMITS,
      signal: probe.closed,
    };
    const reply = await probe.transport.post(member, call);
    if (reply.kind !== "answer" || reply.status !== 200) continue;
    const alarms = listOf(parseObject(reply.text)?.["alarms"]).map((alarm) => String(objectOf(alarm)["alarm"]));
    return alarms.length === 0 ? { name, outcome: "ok", text: "none" } : { name, outcome: "wrong", text: alarms.join(", ") };
  }
  return { name, outcome: "note", text: "not told: the user may not ask for them, or nobody answers" };
}
