import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ROUTES, type RouteName } from "../../admin/client.ts";

/** What an admin API is asked, and what it answers: lines of progress, then the result; without a result it never ends. */
export type Answers = Partial<Record<RouteName, (input: unknown) => { readonly progress?: readonly unknown[]; readonly result?: unknown }>>;

/** An admin API on a port of its own that gives fixed answers; `options` are those of the command line that lead to it. */
export interface CannedFarm {
  readonly options: readonly string[];
  readonly asked: { readonly name: RouteName; readonly input: unknown }[];
  close(): Promise<void>;
}

/** Starts one. */
export async function startCannedFarm(answers: Answers): Promise<CannedFarm> {
  const folder = await mkdtemp(join(tmpdir(), "certfarm-canned-"));
  const asked: { name: RouteName; input: unknown }[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://canned");
      const name = (Object.keys(answers) as RouteName[]).find(
        (known) => ROUTES[known].path === pathname && ROUTES[known].method === request.method,
      );
      const answer = name === undefined ? undefined : answers[name];
      if (name === undefined || answer === undefined) return void response.writeHead(404).end("{}");
      const input = request.method === "GET" ? Object.fromEntries(searchParams) : await json(request);
      asked.push({ name, input });
      const { progress = [], result } = answer(input);
      const route: { readonly progress?: unknown } = ROUTES[name];
      if (route.progress === undefined) return void response.end(JSON.stringify(result));
      for (const each of progress) response.write(`${JSON.stringify({ progress: each })}\n`);
      if (result !== undefined) response.end(`${JSON.stringify({ result })}\n`);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const token = join(folder, "token");
  await writeFile(token, `${"t".repeat(43)}\n`);
  const { port } = server.address() as AddressInfo; // it listens
  return {
    options: ["--admin", `http://127.0.0.1:${port}`, "--token-file", token],
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}
