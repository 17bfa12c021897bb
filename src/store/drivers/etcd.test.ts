import { rm } from "node:fs/promises";
import { afterAll, beforeAll } from "vitest";

import { silentLog, systemClock } from "../../base/index.ts";
import { storeConformance, type ConformanceBacking } from "../conformance.ts";
import { openEtcdStore } from "../index.ts";
import { startEtcd, type EtcdCluster } from "../testing/etcd.ts";
import { makeTempRoot } from "../testing/temp-root.ts";
import { seal } from "./etcd/envelope.ts";

let etcd: EtcdCluster;
let farms = 0;

beforeAll(async () => {
  etcd = await startEtcd();
});
afterAll(() => etcd.stop());

const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");

storeConformance("etcd driver", async (): Promise<ConformanceBacking> => {
  farms += 1;
  const prefix = `tests/farm${farms}`;
  const files = await makeTempRoot();
  return {
    open: (clock = systemClock) => openEtcdStore({ url: etcd.address(prefix), blobs: files, log: silentLog, clock, pollMs: 100 }),
    async fill(keys, value) {
      for (let at = 0; at < keys.length; at += 2500) {
        const puts = keys.slice(at, at + 2500).map((key) => ({
          request_put: { key: base64(`${prefix}/keys/${key}`), value: base64(seal("00".repeat(16), value)) },
        }));
        await etcd.call("/v3/kv/txn", { success: puts });
      }
    },
    remove: () => rm(files, { recursive: true, force: true }),
  };
});
