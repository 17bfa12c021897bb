import { startFarm } from "./run-up.ts";

/** Everything that is not a role of its own. */
export async function runClient(args: readonly string[]): Promise<void> {
  const farm = await startFarm({ basePort: 8000, demoRoot: args[1] ?? "demo-farm", write: (text) => process.stderr.write(text) });
  farm.supervisor.onReady((name) => process.stdout.write(`${name} serves\n`));
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await farm.close();
}
