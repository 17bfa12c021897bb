import type { RouteInput } from "../../admin/client.ts";
import { FarmError } from "../../base/index.ts";
import { readInputFile } from "../files.ts";

/** What to look at and how, as the command line says it. */
export interface LookOptions {
  readonly node?: readonly string[];
  readonly nodes?: readonly string[];
  readonly nodesFile?: string;
  readonly hostsFile?: string;
  readonly via?: string;
  readonly evidence?: readonly string[];
  readonly share?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly nginx?: readonly string[];
  readonly haproxy?: readonly string[];
  readonly deep?: boolean;
  /** Seconds. */
  readonly timeout?: number;
  readonly concurrency?: number;
}

const MOST_LIST = 16 << 20;
const MOST_CA = 4 << 20;

/** Whether servers or files are named: then it is looked from here, and no farm is needed. */
export const isHere = ({ nodes, nodesFile, evidence, share, nginx, haproxy }: LookOptions): boolean =>
  [nodes, nodesFile, evidence, share, nginx, haproxy].some((given) => given !== undefined);

/** Input of `doctor.here`, and of `repair.script` but for its findings. @throws INPUT_FILE_UNUSABLE */
export async function hereInput(hosts: readonly string[], options: LookOptions): Promise<RouteInput<"doctor.here">> {
  if (options.node !== undefined) throw new FarmError("USAGE", "--node names a node of the running farm; name servers with --nodes");
  const nodes = [...(options.nodes ?? []), ...(await listOf(options.nodesFile))];
  const { evidence, nginx, haproxy, share, passwordFile } = options;
  return {
    ...(await hostInput(hosts, options)),
    ...some("nodes", nodes),
    ...some("evidence", evidence),
    ...some("nginx", nginx),
    ...some("haproxy", haproxy),
    ...given({ share, passwordFile }),
    ...(await dialInput(options)),
  };
}

/** Input of `doctor`. @throws INPUT_FILE_UNUSABLE */
export async function farmInput(hosts: readonly string[], options: LookOptions): Promise<RouteInput<"doctor">> {
  if (options.passwordFile !== undefined) throw new FarmError("USAGE", "--password-file goes with --share or --evidence");
  return { ...(await hostInput(hosts, options)), ...some("nodes", options.node), ...(await dialInput(options)) };
}

async function hostInput(hosts: readonly string[], { hostsFile, via }: LookOptions): Promise<{ hosts?: string[]; via?: string }> {
  const all = [...new Set([...hosts, ...(await listOf(hostsFile))])];
  if (hostsFile !== undefined && all.length === 0) throw new FarmError("USAGE", `${hostsFile} names no host`);
  return { ...some("hosts", all), ...given({ via }) };
}

/** How to dial. @throws INPUT_FILE_UNUSABLE */
export async function dialInput({ deep, timeout, concurrency, ca }: LookOptions): Promise<DialInput> {
  return given({
    deep,
    concurrency,
    timeoutMs: timeout === undefined ? undefined : timeout * 1_000,
    caPem: ca === undefined ? undefined : await readInputFile(ca, MOST_CA),
  });
}

type DialInput = Pick<RouteInput<"doctor">, "deep" | "timeoutMs" | "concurrency" | "caPem">;

/** Names of a file: one or more a line, `#` starts a comment. */
async function listOf(path: string | undefined): Promise<readonly string[]> {
  if (path === undefined) return [];
  const text = await readInputFile(path, MOST_LIST);
  return text.split(/\r?\n/).flatMap((line) =>
    line
      .replace(/#.*$/, "")
      .split(/[\s,]+/)
      .filter((word) => word !== ""),
  );
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** What is there of some settings. */
const given = <T extends object>(settings: T): Given<T> =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as Given<T>; // the values are those of T

const some = <K extends string>(key: K, list: readonly string[] = []): { [P in K]?: string[] } =>
  (list.length === 0 ? {} : { [key]: [...list] }) as { [P in K]?: string[] }; // the key is K
