import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Below the range that the kernel takes ports of outgoing connections from: one of those cannot get in between. */
const LOWEST = 10_000;
const HIGHEST = 32_000;
const handedOut = new Set<number>();

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host, exclusive: true });
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Ports that nobody listens on, on 127.0.0.1 and on ::1; none is handed out twice. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found: number[] = [];
  for (let tries = 0; found.length < count && tries < 1_000; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if ((await isFree(port, "127.0.0.1")) && (await isFree(port, "::1"))) found.push(port);
  }
  if (found.length < count) throw new Error(`no ${count} free ports between ${LOWEST} and ${HIGHEST}`);
  return found;
}
