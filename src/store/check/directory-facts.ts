import { watch } from "node:fs";
import { mkdir, open, readFile, realpath, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join, sep } from "node:path";

import { systemCode, type Clock } from "../../base/index.ts";
import { pause } from "../bell.ts";
import { probeLinks } from "../drivers/directory/state.ts";
import type { CheckFact } from "./types.ts";

/** Where no word of other machines' changes comes from. */
const REMOTE = /^(nfs|nfs4|cifs|smb3|smbfs|9p|ceph|glusterfs|afs|fuse|fuse\..*)$/;
const FLUSHES = 5;
const SLOW_FLUSH_MS = 200;
const EVENT_MS = 1000;
const LOW_BYTES = 256 * 1024 * 1024;

/** What kind of place a directory is, tried in a folder of its own inside it, which must be there. Never throws. */
export async function directoryFacts(scratch: string, clock: Clock): Promise<readonly CheckFact[]> {
  const trials: readonly [string, () => Promise<Omit<CheckFact, "name">>][] = [
    ["file system", () => mountFact(scratch)],
    ["space", () => spaceFact(scratch)],
    ["rename", () => renameFact(scratch)],
    ["hard links", () => linksFact(scratch)],
    ["flush", () => flushFact(scratch, clock)],
    ["events", () => eventsFact(scratch)],
  ];
  const facts: CheckFact[] = [];
  for (const [name, look] of trials) {
    const fact = await look().catch((error: unknown) => ({
      outcome: "wrong" as const,
      text: `it fails: ${systemCode(error) ?? String(error)}`,
    }));
    facts.push({ name, ...fact });
  }
  return facts;
}

interface Mount {
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** The mount that a path is on: `man 5 proc`, mountinfo. undefined = not Linux. */
async function mountOf(path: string): Promise<Mount | undefined> {
  const text = await readFile("/proc/self/mountinfo", "utf8").catch(() => undefined);
  const mounts = (text ?? "").split("\n").flatMap((line): Mount[] => {
    const [own, other] = line.split(" - ");
    const fields = own?.split(" ") ?? [];
    const [type, , superOptions = ""] = other?.split(" ") ?? [];
    const point = fields[4]?.replaceAll(/\\(\d{3})/g, (_all, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
    return point === undefined || type === undefined
      ? []
      : [{ point, type, options: [...(fields[5] ?? "").split(","), ...superOptions.split(",")] }];
  });
  const inside = (point: string): boolean => point === "/" || path === point || path.startsWith(`${point}${sep}`);
  return mounts
    .filter(({ point }) => inside(point))
    .reduce<Mount | undefined>((best, one) => (one.point.length >= (best?.point.length ?? 0) ? one : best), undefined);
}

async function mountFact(scratch: string): Promise<Omit<CheckFact, "name">> {
  const mount = await mountOf(await realpath(scratch));
  if (mount === undefined) return { outcome: "note", text: "its kind is not told by this system" };
  const { type, point, options } = mount;
  const told = `${type} at ${point}`;
  if (!REMOTE.test(type)) return { outcome: "ok", text: told };
  const isCached = type.startsWith("nfs") && !options.some((option) => /^(noac|actimeo=[01]|acdirmax=[01])$/.test(option));
  return {
    outcome: "note",
    text: `${told} (${options.join(",")})${isCached ? "; without actimeo=1 directories may be shown as they were up to a minute ago" : ""}`,
  };
}

async function spaceFact(scratch: string): Promise<Omit<CheckFact, "name">> {
  const { bavail, bsize } = await statfs(scratch);
  const free = bavail * bsize;
  return { outcome: free < LOW_BYTES ? "wrong" : "ok", text: `${(free / 1e9).toFixed(1)} GB free` };
}

async function renameFact(scratch: string): Promise<Omit<CheckFact, "name">> {
  const [from, to] = [join(scratch, "rename-from"), join(scratch, "rename-to")];
  await writeFile(from, "new");
  await writeFile(to, "old");
  // SMB refuses to replace what somebody reads.
  const reader = await open(to, "r");
  try {
    await rename(from, to);
  } catch (error) {
    await reader.close();
    await rename(from, to);
    return { outcome: "note", text: `not over a file that is open (${systemCode(error) ?? "unknown"}); certfarm tries again then` };
  } finally {
    await reader.close().catch(() => undefined);
  }
  return (await readFile(to, "utf8")) === "new"
    ? { outcome: "ok", text: "over a file that is open too" }
    : { outcome: "wrong", text: "the old file is still shown" };
}

async function linksFact(scratch: string): Promise<Omit<CheckFact, "name">> {
  if (await probeLinks(scratch)) return { outcome: "ok", text: "yes" };
  return {
    outcome: "note",
    text: "none; versions are written in place, and a writer that dies holds the next one of that key up for 1.5 s",
  };
}

async function flushFact(scratch: string, clock: Clock): Promise<Omit<CheckFact, "name">> {
  const file = await open(join(scratch, "flush"), "w");
  const times: number[] = [];
  try {
    for (let at = 0; at < FLUSHES; at += 1) {
      await file.writeFile(Buffer.alloc(4096, at));
      const startMs = clock.monotonicMs();
      await file.sync();
      times.push(clock.monotonicMs() - startMs);
    }
  } finally {
    await file.close();
  }
  const median = times.toSorted((one, other) => one - other)[Math.floor(FLUSHES / 2)] ?? 0;
  const text = `4 KiB take ${median.toFixed(1)} ms (median of ${FLUSHES})`;
  return median > SLOW_FLUSH_MS
    ? { outcome: "wrong", text: `${text}: each write of a farm waits for two or three` }
    : { outcome: "ok", text };
}

async function eventsFact(scratch: string): Promise<Omit<CheckFact, "name">> {
  const folder = join(scratch, "events");
  await mkdir(folder);
  const ending = new AbortController();
  let told = false;
  try {
    const watcher = watch(folder, { signal: ending.signal, persistent: false }, () => {
      told = true;
      ending.abort();
    });
    watcher.on("error", () => undefined);
    await writeFile(join(folder, "file"), "");
    await pause(EVENT_MS, ending.signal);
  } catch (error) {
    return { outcome: "note", text: `polled only: ${systemCode(error) ?? "no file events"}` };
  } finally {
    ending.abort();
    await rm(folder, { recursive: true, force: true });
  }
  const mount = await mountOf(await realpath(scratch));
  if (mount !== undefined && REMOTE.test(mount.type))
    return { outcome: "note", text: "polled: other machines' changes are not told by this file system" };
  return told ? { outcome: "ok", text: "told by the system" } : { outcome: "note", text: "polled only: no file events" };
}
