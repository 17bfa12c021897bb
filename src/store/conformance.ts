import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Clock } from "../base/index.ts";
import type { FarmStore } from "./contract.ts";
import { describeBlobs } from "./conformance/blobs.ts";
import { describeCompareAndSet } from "./conformance/compare-and-set.ts";
import { describeFolders } from "./conformance/folders.ts";
import { describeKeys } from "./conformance/keys.ts";
import { describeLeases } from "./conformance/leases.ts";
import { describeListing } from "./conformance/listing.ts";
import { describeWatching } from "./conformance/watching.ts";
import type { ConformanceBacking, ConformancePlace } from "./conformance/place.ts";
import { selfTestStore } from "./self-test.ts";

export type { ConformanceBacking } from "./conformance/place.ts";

/** What every driver of the store must do, whatever is behind it. */
export function storeConformance(name: string, makeBacking: () => Promise<ConformanceBacking>): void {
  describe(`${name} keeps the store's contract`, () => {
    let backing: ConformanceBacking;
    let opened: FarmStore[];
    let stop: AbortController;

    const open = async (clock?: Clock): Promise<FarmStore> => {
      const store = await backing.open(clock);
      opened.push(store);
      return store;
    };
    const place: ConformancePlace = {
      open,
      openMany: (count) => Promise.all(Array.from({ length: count }, () => open())),
      get backing() {
        return backing;
      },
      get stop() {
        return stop;
      },
    };

    beforeEach(async () => {
      opened = [];
      stop = new AbortController();
      backing = await makeBacking();
    });
    afterEach(async () => {
      stop.abort();
      await Promise.all(opened.map((store) => store.close()));
      await backing.remove();
    });

    describeKeys(place);
    describeCompareAndSet(place);
    describeListing(place);
    describeWatching(place);
    describeLeases(place);
    describeBlobs(place);
    describeFolders(place);

    it("passes its own trial", async () => {
      const result = await selfTestStore(await open());
      expect(result).toMatchObject({ ok: true });
      expect(result.writeMs).toBeLessThan(2000);
    });
  });
}
