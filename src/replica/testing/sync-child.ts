/**
 * A process that syncs one folder out of a store in memory and kills itself with SIGKILL at the n-th step (0 = never), else prints its
 * reports: `sync-child DATA_DIR STEP FILES`.
 */
import { silentLog } from "../../base/index.ts";
import { createMemoryStore, type FarmStore } from "../../store/index.ts";
import { createContentReplica } from "../content-replica.ts";
import { publishFiles, type Files } from "./content-fixture.ts";

const [dataDir = "", killAt = "", files = ""] = process.argv.slice(2);
let left = Number(killAt);

function step(): void {
  left -= 1;
  if (left === 0) process.kill(process.pid, "SIGKILL");
}

/** Streams each file in halves, with a step between them. */
function halved(store: FarmStore): FarmStore {
  const content = store.folder("content");
  async function* open(path: string): AsyncGenerator<Uint8Array> {
    for await (const chunk of content.open(path)) {
      yield chunk.subarray(0, chunk.length / 2);
      await new Promise((resolve) => setTimeout(resolve, 5)); // the first half is on its way to the disk
      step();
      yield chunk.subarray(chunk.length / 2);
    }
  }
  return { ...store, folder: (name) => (name === "content" ? { ...content, open } : store.folder(name)) };
}

const store = createMemoryStore();
await publishFiles(store, "www", JSON.parse(files) as Files); // written by the test
const log = { ...silentLog, debug: (message: string) => (message === "content step" ? step() : undefined) };
const replica = await createContentReplica({ store: halved(store), dataDir, log });
await replica.sync(["www"], new AbortController().signal);
await replica.close();
await store.close();
process.stdout.write(JSON.stringify(replica.reports()));
