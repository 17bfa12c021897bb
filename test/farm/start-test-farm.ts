import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { demoPage } from "../../src/app/demo/demo-page.ts";
import { silentLog, systemClock } from "../../src/base/index.ts";
import type { NodeRequestMap } from "../../src/node/requests.ts";
import type { Authority } from "../../src/pki/index.ts";
import { createReports, createRequests, type NodeReport } from "../../src/replica/index.ts";
import { farmKeySource, makeFarmKeyFile, sealStore } from "../../src/secrets/index.ts";
import { openStore, STORE_OPTIONS, type FarmStore, type StoreSettings } from "../../src/store/index.ts";
import { certificateFile, createTestAuthority, DEFAULT_CERTIFICATES, PFX_PASSWORD, type CertificateSpec } from "./certificates.ts";
import { contentFolders, DEFAULT_SITES, farmYaml, type FarmYamlParts, type Listens, type SiteYaml } from "./farm-yaml.ts";
import { freePorts } from "./free-ports.ts";
import { farmProcess, MAIN, type FarmProcess } from "./processes.ts";
import { run, type RunOptions, type RunResult } from "./run.ts";
import { until } from "./until.ts";

/** What a test asks of its farm; everything has a default. */
export interface TestFarmSettings extends Pick<FarmYamlParts, "tls" | "limits" | "nodeKeys" | "balancerKeys"> {
  /** @default 2 */
  readonly nodes?: number;
  /** @default true */
  readonly balancer?: boolean;
  /** Starts an admin API beside the farm, for `cli`. @default false */
  readonly admin?: boolean;
  /** Lets drills put faults into the nodes. @default false */
  readonly allowDrills?: boolean;
  /** Where the store is. @default a directory of the farm's own */
  readonly storeSettings?: StoreSettings;
  readonly sites?: readonly SiteYaml[];
  readonly certificates?: readonly CertificateSpec[];
  /** More files of the store, by path below it. */
  readonly files?: (authority: Authority) => Promise<Readonly<Record<string, string | Uint8Array>>>;
  /** The Node program to run. @default the one that runs the tests */
  readonly binary?: string;
  /** A command that each node's process is run by, e.g. in a mount namespace of its own; ends with `exec`. */
  readonly nodeWrapper?: (dataDir: string) => readonly string[];
}

/** Where clients can reach the farm: the balancer first, then each node. */
export type Entrance = Listens;

/** A farm that runs: real processes, a real store. */
export interface TestFarm {
  readonly root: string;
  /** The store's folder, when it is a directory. */
  readonly store: string;
  /** The store as its members see it. */
  readonly storeHandle: FarmStore;
  readonly authority: Authority;
  /** PEM file of the root that clients trust. */
  readonly caFile: string;
  readonly passwordFile: string;
  readonly nodes: readonly Listens[];
  readonly entrances: readonly Entrance[];
  readonly balancer: Listens;
  process(name: string): FarmProcess;
  /** The farm.yaml it was started with, with these parts changed. */
  yaml(changes?: Partial<FarmYamlParts>): string;
  /** Saves farm.yaml into the store as an editor does. */
  saveYaml(text: string): Promise<void>;
  /** Puts a certificate file into the store: into a directory by renaming, as careful tools do. */
  putCertificate(spec: CertificateSpec): Promise<Uint8Array>;
  /** Puts any octets there. */
  putFile(path: string, bytes: string | Uint8Array): Promise<void>;
  reports(): Promise<readonly NodeReport[]>;
  ask<V extends keyof NodeRequestMap>(node: string, verb: V, input: NodeRequestMap[V]["input"]): Promise<NodeRequestMap[V]["output"]>;
  /** Runs the command line against the farm's admin API. */
  cli(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** Waits until these nodes (default: all) answer /readyz with 200, nothing is left to prove, and content is there. */
  ready(nodes?: readonly string[]): Promise<void>;
  /** Ends every process and removes the folder. Throws when a process does not end well. */
  stop(): Promise<void>;
}

const START_MS = 45_000;

/** Starts a farm and waits until it serves and has proved everything. */
export async function startTestFarm(settings: TestFarmSettings = {}): Promise<TestFarm> {
  const root = await mkdtemp(join(tmpdir(), "certfarm-test-"));
  const authority = await createTestAuthority();
  const names = Array.from({ length: settings.nodes ?? 2 }, (_, index) => `web${index + 1}`);
  const listens = await places([...(settings.balancer === false ? [] : ["balancer"]), ...names]);
  const sites = settings.sites ?? DEFAULT_SITES;
  const paths = { root, store: join(root, "store"), caFile: join(root, "ca.pem"), passwordFile: join(root, "passwords.yaml") };
  await writeFile(paths.caFile, authority.certificatePem);
  await writeFile(paths.passwordFile, `everyFile: ${JSON.stringify(PFX_PASSWORD.reveal())}\n`, { mode: 0o600 });
  const { handle: store, args: storeArgs } = await openTestStore(settings.storeSettings, paths);
  const nodes = listens.filter(({ name }) => name !== "balancer");
  const balancer = listens.find(({ name }) => name === "balancer");
  const adminPort = settings.admin === true ? (await freePorts(1))[0] : undefined;
  const parts: FarmYamlParts = { ...settings, nodes, balancer, sites };
  const farm = new RunningTestFarm({
    ...paths,
    authority,
    nodes,
    entrances: listens,
    balancer,
    parts,
    storeHandle: store,
    storeArgs,
    settings,
    adminPort,
  });
  try {
    await farm.fill();
    await farm.start();
  } catch (error) {
    await farm.abandon();
    throw error;
  }
  return farm;
}

/** The store as this process and the farm's see it. What is in etcd is sealed with a farm key of the test's own. */
async function openTestStore(
  settings: StoreSettings | undefined,
  paths: { readonly root: string; readonly store: string },
): Promise<{ readonly handle: FarmStore; readonly args: readonly string[] }> {
  const parts = { log: silentLog, clock: systemClock };
  const store = await openStore(settings ?? { place: paths.store }, { ...parts, create: true });
  if (settings === undefined) return { handle: store, args: ["--store", paths.store] };
  const file = join(paths.root, "farm-key");
  await makeFarmKeyFile(file);
  const sealed = sealStore(store, { ...parts, source: farmKeySource({ file, environment: {} }) });
  return { handle: sealed.store, args: [...storeArguments(settings), "--farm-key-file", file] };
}

/** The settings as a command's options. */
function storeArguments(settings: StoreSettings): readonly string[] {
  return STORE_OPTIONS.flatMap(({ name, flag }) => {
    const value = settings[name];
    return value === undefined ? [] : [`--${flag}`, value];
  });
}

async function places(names: readonly string[]): Promise<readonly Listens[]> {
  const ports = await freePorts(names.length * 3);
  return names.map((name, index) => {
    const [https = 0, http = 0, health = 0] = ports.slice(index * 3);
    return { name, https, http, health };
  });
}

interface Facts {
  readonly root: string;
  readonly store: string;
  readonly caFile: string;
  readonly passwordFile: string;
  readonly authority: Authority;
  readonly nodes: readonly Listens[];
  readonly entrances: readonly Listens[];
  readonly balancer: Listens | undefined;
  readonly parts: FarmYamlParts;
  readonly storeHandle: FarmStore;
  readonly storeArgs: readonly string[];
  readonly settings: TestFarmSettings;
  readonly adminPort: number | undefined;
}

class RunningTestFarm implements TestFarm {
  readonly #facts: Facts;
  readonly #processes = new Map<string, FarmProcess>();
  readonly #reports;
  readonly #requests;
  #temporary = 0;

  constructor(facts: Facts) {
    this.#facts = facts;
    this.#reports = createReports(facts.storeHandle, { clock: systemClock });
    this.#requests = createRequests(facts.storeHandle, { clock: systemClock, log: silentLog });
    const binary = facts.settings.binary ?? process.execPath;
    for (const { name } of facts.nodes) {
      const data = join(facts.root, "data", name);
      const args = ["node", "--name", name, ...facts.storeArgs, "--data", data, "--passwords", facts.passwordFile];
      if (facts.settings.allowDrills === true) args.push("--allow-drills");
      this.#processes.set(name, farmProcess(name, args, { binary, wrapper: facts.settings.nodeWrapper?.(data) ?? [] }));
    }
    if (facts.balancer !== undefined) {
      const args = ["balancer", ...facts.storeArgs, "--data", join(facts.root, "data", "balancer")];
      this.#processes.set("balancer", farmProcess("balancer", args, { binary, wrapper: [] }));
    }
    if (facts.adminPort !== undefined) {
      const args = ["admin", ...facts.storeArgs, "--admin-port", String(facts.adminPort), "--local", join(facts.root, "local")];
      this.#processes.set("admin", farmProcess("admin", [...args, "--passwords", facts.passwordFile], { binary, wrapper: [] }));
    }
  }

  get root(): string {
    return this.#facts.root;
  }
  get store(): string {
    return this.#facts.store;
  }
  get storeHandle(): FarmStore {
    return this.#facts.storeHandle;
  }
  get authority(): Authority {
    return this.#facts.authority;
  }
  get caFile(): string {
    return this.#facts.caFile;
  }
  get passwordFile(): string {
    return this.#facts.passwordFile;
  }
  get nodes(): readonly Listens[] {
    return this.#facts.nodes;
  }
  get entrances(): readonly Listens[] {
    return this.#facts.entrances;
  }
  get balancer(): Listens {
    if (this.#facts.balancer === undefined) throw new Error("this farm was started without a balancer");
    return this.#facts.balancer;
  }

  async fill(): Promise<void> {
    const { settings, parts } = this.#facts;
    for (const spec of settings.certificates ?? DEFAULT_CERTIFICATES) await this.putCertificate(spec);
    for (const folder of contentFolders(parts.sites)) await this.putFile(`content/${folder}/index.html`, demoPage(folder, folder));
    for (const [path, bytes] of Object.entries((await settings.files?.(this.authority)) ?? {})) await this.putFile(path, bytes);
    await this.putFile("config/farm.yaml", this.yaml());
  }

  async start(): Promise<void> {
    for (const one of this.#processes.values()) one.start();
    await this.ready();
  }

  process(name: string): FarmProcess {
    const found = this.#processes.get(name);
    if (found === undefined) throw new Error(`there is no process ${name}`);
    return found;
  }

  yaml(changes: Partial<FarmYamlParts> = {}): string {
    return farmYaml({ ...this.#facts.parts, ...changes });
  }

  async saveYaml(text: string): Promise<void> {
    await this.putFile("config/farm.yaml", text);
  }

  async putCertificate(spec: CertificateSpec): Promise<Uint8Array> {
    const bytes = await certificateFile(this.authority, spec);
    await this.putFile(`certificates/${spec.file}`, bytes);
    return bytes;
  }

  async putFile(path: string, bytes: string | Uint8Array): Promise<void> {
    if (this.#facts.settings.storeSettings !== undefined) return this.#putThroughStore(path, bytes);
    const target = join(this.store, path);
    await mkdir(join(target, ".."), { recursive: true });
    this.#temporary += 1;
    const temporary = join(this.root, `new-${this.#temporary}`);
    await writeFile(temporary, bytes);
    await chmod(temporary, 0o600);
    await rename(temporary, target);
  }

  async #putThroughStore(path: string, bytes: string | Uint8Array): Promise<void> {
    const [folder, ...rest] = path.split("/");
    if (folder !== "certificates" && folder !== "config" && folder !== "content") throw new Error(`${path} is in no folder of the store`);
    await this.storeHandle.folder(folder).put(rest.join("/"), typeof bytes === "string" ? Buffer.from(bytes) : bytes);
  }

  async reports(): Promise<readonly NodeReport[]> {
    return (await this.#reports.all()).map(({ report }) => report);
  }

  async ask<V extends keyof NodeRequestMap>(
    node: string,
    verb: V,
    input: NodeRequestMap[V]["input"],
  ): Promise<NodeRequestMap[V]["output"]> {
    const signal = new AbortController().signal;
    const output = await this.#requests.send(node, verb, input, { timeoutMs: 10_000, signal });
    return output as NodeRequestMap[V]["output"]; // the verb's own contract
  }

  cli(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const { adminPort, root } = this.#facts;
    if (adminPort === undefined) throw new Error("this farm was started without an admin API");
    const env = {
      ...process.env,
      NO_COLOR: "1",
      CERTFARM_ADMIN: `http://127.0.0.1:${adminPort}`,
      CERTFARM_TOKEN_FILE: join(root, "local", "admin-token"),
      ...options.env,
    };
    return run(process.execPath, [MAIN, ...args], { timeoutMs: 60_000, ...options, env });
  }

  async ready(nodes: readonly string[] = this.nodes.map(({ name }) => name)): Promise<void> {
    try {
      for (const node of this.nodes.filter(({ name }) => nodes.includes(name))) {
        await until(() => hasProvedAll(node), { what: `${node.name} is ready`, deadlineMs: START_MS });
      }
      await until(() => this.#hasContent(nodes), { what: "every node has the content", deadlineMs: START_MS });
      const { balancer } = this.#facts;
      if (balancer !== undefined && this.process("balancer").running) {
        await until(() => takesNodes(balancer, nodes), { what: "the balancer takes the nodes", deadlineMs: START_MS });
      }
      const { adminPort } = this.#facts;
      if (adminPort !== undefined) await until(() => answers(adminPort), { what: "the admin API answers", deadlineMs: START_MS });
    } catch (error) {
      const logs = [...this.#processes.values()].map((one) => `--- ${one.name}\n${one.log().slice(-3000)}`);
      throw new Error(`the farm does not serve: ${String(error)}\n${logs.join("\n")}`, { cause: error });
    }
  }

  async #hasContent(nodes: readonly string[]): Promise<boolean> {
    const reports = (await this.reports()).filter(({ node }) => nodes.includes(node));
    const folders = contentFolders(this.#facts.parts.sites);
    const has = ({ content }: NodeReport, folder: string): boolean =>
      content.some((one) => one.folder === folder && one.digest !== "" && one.problem === undefined);
    return reports.length === nodes.length && reports.every((report) => folders.every((folder) => has(report, folder)));
  }

  async stop(): Promise<void> {
    const processes = [...this.#processes.values()].filter((one) => one.running);
    const ends = await Promise.all(processes.map(async (one) => ({ name: one.name, how: await one.end() })));
    await this.abandon();
    const bad = ends.filter(({ how }) => how !== 0);
    if (bad.length > 0) throw new Error(`not ended well: ${bad.map(({ name, how }) => `${name} (${how})`).join(", ")}`);
  }

  async abandon(): Promise<void> {
    for (const one of this.#processes.values()) if (one.running) await one.end("SIGKILL");
    await this.#facts.storeHandle.close();
    await rm(this.root, { recursive: true, force: true });
  }
}

async function hasProvedAll(node: Listens): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${node.health}/readyz`, { signal: AbortSignal.timeout(5_000) });
  const { pending, failed } = (await response.json()) as { pending?: number; failed?: number }; // HealthServer's answer
  if (response.status === 200 && pending === 0 && failed === 0) return true;
  throw new Error(`/readyz answers ${response.status}, ${pending} pending, ${failed} failed`);
}

async function answers(port: number): Promise<boolean> {
  return (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5_000) })).status > 0;
}

async function takesNodes(balancer: Listens, names: readonly string[]): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${balancer.health}/state`, { signal: AbortSignal.timeout(5_000) });
  const state = (await response.json()) as { nodes: readonly { name: string; inRotation: boolean }[] }; // BalancerState
  return names.every((name) => state.nodes.some((node) => node.name === name && node.inRotation));
}
