import { toFarmError, type Clock, type Log } from "../base/index.ts";
import type { Signing } from "../identity/index.ts";
import type { FarmStore } from "../store/index.ts";
import { createDrains } from "./drains.ts";
import { createRevisions } from "./revisions.ts";

/** Who signs a farm's present state, and why. */
export interface SignFarmRequest {
  readonly store: FarmStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly signing: Signing;
  readonly by: string;
  /**
   * `first`: the farm gets its identities now, and what stands in its store unsigned is taken for good; once it is signed, nothing is done again.
   * `anew`: what an admin signed is signed again, since that signature will not be believed for long (another authority, a revoked admin).
   */
  readonly when: "first" | "anew";
}

/** What was signed. */
export interface SignedFarm {
  /** Absent = the farm has no revision, or none that had to be signed. */
  readonly revision?: number;
  readonly drains: readonly string[];
}

/**
 * Signs the latest revision (as a new one with the same text) and the drains, so that nodes with an identity go on with what they have. Content is
 * published anew by the admin's duties. @throws SIGNING_ROLE_WRONG, and the store's errors
 */
export async function signFarm(request: SignFarmRequest): Promise<SignedFarm> {
  const { store, clock, log, signing, by, when } = request;
  const signed = createRevisions(store, { clock, log, signing });
  const latest = await signed.latest();
  if (when === "first" && latest !== undefined) return { drains: [] };
  const source =
    when === "first" ? await unsignedView(request) : { yaml: latest?.yaml, drained: await createDrains(store, { clock, signing }).list() };
  const drains = createDrains(store, { clock, signing });
  for (const { node, by: whose } of source.drained) {
    if (when === "anew") await drains.unset(node);
    await drains.set(node, whose);
  }
  const drained = source.drained.map(({ node }) => node);
  if (source.yaml === undefined) return { drains: drained };
  const note = when === "first" ? "signed when the farm got its identities" : "signed anew";
  const made = await signed.append({ yaml: source.yaml, by, note, base: latest?.number ?? 0, anew: true });
  return { revision: made.number, drains: drained };
}

/** What the farm has been until now. */
async function unsignedView({ store, clock, log }: SignFarmRequest): Promise<{
  readonly yaml: string | undefined;
  readonly drained: Awaited<ReturnType<ReturnType<typeof createDrains>["list"]>>;
}> {
  const drained = await createDrains(store, { clock }).list();
  try {
    return { yaml: (await createRevisions(store, { clock, log }).latest())?.yaml, drained };
  } catch (error) {
    log.warn("the present configuration cannot be read, so it is not signed", { problem: toFarmError(error).message });
    return { yaml: undefined, drained };
  }
}
