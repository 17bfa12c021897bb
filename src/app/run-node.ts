import { systemClock } from "../base/index.ts";
import { openPasswords, withSharedPasswords } from "../certificates/index.ts";
import { startNode, stayDead } from "../node/index.ts";
import { farmKeySource, followFarmKey, sealStore } from "../secrets/index.ts";
import { openStoreLater, type FarmStore } from "../store/index.ts";
import { prepareProcess } from "./prepare-process.ts";
import { openProcessIdentity } from "./process-identity.ts";
import { startRole } from "./role.ts";
import { parseRoleOptions } from "./role-options.ts";
import { createSavedFileJudge } from "./saved-file-judge.ts";
import { VERSION } from "./version.ts";

/** Balancers ask about every second. */
const NOTICE_MS = 2_500;

/** `certfarm node`: one server that ends TLS, until SIGTERM; then it drains. */
export async function runNode(args: readonly string[]): Promise<void> {
  const options = await parseRoleOptions("node", args);
  const role = startRole({ node: options.name });
  const { log } = role;
  const clock = systemClock;
  const sockets = await prepareProcess("node", { args, options, role });
  if (sockets === undefined) return;
  const source = farmKeySource({ ...options.farmKey, environment: process.env });
  const { store, secrets } = sealStore(openStoreLater(options.store, { log, clock }), { source, clock, log });
  const keeper = await openProcessIdentity({ data: options.data, store, log }, { role: "node", name: options.name });
  const ending = new AbortController();
  const own = await openPasswords({
    environment: process.env,
    log,
    ...(options.passwords === undefined ? {} : { file: options.passwords }),
  });
  const passwords = withSharedPasswords(own, { store, clock, log, signal: ending.signal });
  const judge = createSavedFileJudge({ name: options.name, role: "node", store, passwords, clock, log, signing: keeper });
  // A process with a parent is one of a farm that ends as a whole: there is nobody to tell.
  const noticeMs = process.send === undefined ? NOTICE_MS : 0;
  const { name, data: dataDir, allowDrills } = options;
  if (allowDrills && !(await isAlive({ dataDir, store, clock, log }, role.ended))) return endRole(store);
  const settings = {
    adopt: sockets.adopt,
    name,
    store,
    dataDir,
    version: VERSION,
    log,
    clock,
    passwords,
    judge,
    noticeMs,
    allowDrills,
    signing: keeper,
    identity: keeper === undefined ? undefined : () => keeper.state(),
  };
  const node = await startNode(settings);
  void followFarmKey({ state: store.state, secrets, name, clock, log }, ending.signal);
  void node.serving.then(() => role.ready());
  log.info("node started", { version: VERSION, pid: process.pid, store: options.store.place, data: options.data });
  log.info("node ends", { because: await role.ended });
  ending.abort();
  await node.close();
  await keeper?.close();
  await endRole(store);
}

/** Waits while a drill wants the node dead. False: the process was asked to end meanwhile. */
async function isAlive(parts: Omit<Parameters<typeof stayDead>[0], "signal">, ended: Promise<string>): Promise<boolean> {
  const ending = new AbortController();
  void ended.then(() => ending.abort());
  await stayDead({ ...parts, signal: ending.signal });
  return !ending.signal.aborted;
}

async function endRole(store: FarmStore): Promise<void> {
  await store.close();
  process.exit(0);
}
