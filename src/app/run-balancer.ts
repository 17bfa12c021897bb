import { systemClock } from "../base/index.ts";
import { openStoreLater } from "../store/index.ts";
import { BalancerFollower } from "./balancer-follower.ts";
import { prepareProcess } from "./prepare-process.ts";
import { openProcessIdentity } from "./process-identity.ts";
import { startRole } from "./role.ts";
import { parseRoleOptions } from "./role-options.ts";
import { VERSION } from "./version.ts";

/** Whatever spreads clients over balancers (VRRP, DNS, a cloud's own) asks about every second or two. */
const NOTICE_MS = 2_500;

/** `certfarm balancer`: the layer-4 front, until SIGTERM; then it lets connections end. */
export async function runBalancer(args: readonly string[]): Promise<void> {
  const options = await parseRoleOptions("balancer", args);
  const role = startRole({ balancer: options.name });
  const { log } = role;
  const sockets = await prepareProcess("balancer", { args, options, role });
  if (sockets === undefined) return;
  const store = openStoreLater(options.store, { log, clock: systemClock });
  const keeper = await openProcessIdentity({ data: options.data, store, log }, { role: "balancer", name: options.name });
  const ending = new AbortController();
  const follower = new BalancerFollower({
    store,
    dataDir: options.data,
    log,
    adopt: sockets.adopt,
    signing: keeper,
    ready: () => role.ready(),
  });
  log.info("balancer started", { version: VERSION, pid: process.pid, store: options.store.place });
  const following = follower.run(ending.signal);
  log.info("balancer ends", { because: await role.ended });
  ending.abort();
  await following;
  // A process with a parent is one of a farm that ends as a whole: there is nobody to tell.
  await follower.close(process.send === undefined ? NOTICE_MS : 0);
  await store.close();
  process.exit(0);
}
