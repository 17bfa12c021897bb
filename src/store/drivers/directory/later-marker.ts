import type { FarmMarker, MarkerOptions } from "./farm-id.ts";
import { openFarmMarker } from "./farm-id.ts";

/** The marker of a directory that may be mounted later, or be gone for a while; asked for anew until it is found. */
export function laterMarker(root: string, options: MarkerOptions & { readonly farm: string }): FarmMarker {
  let opened: FarmMarker | undefined;
  const open = async (): Promise<FarmMarker> => (opened ??= await openFarmMarker(root, options));
  return {
    id: options.farm,
    require: async () => (await open()).require(),
    requireRecent: async () => (await open()).requireRecent(),
  };
}
