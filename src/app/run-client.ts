import { parseArgs } from "node:util";

import { FarmError, parsePort } from "../base/index.ts";
import { startFarm } from "./run-up.ts";

/** Everything that is not a role of its own. */
export async function runClient(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { port: { type: "string" }, "demo-root": { type: "string" }, "admin-port": { type: "string" } },
  });
  const [verb, farmFile] = positionals;
  if (verb !== "up") throw new FarmError("USAGE", `there is no command ${JSON.stringify(verb ?? "")}`);
  const basePort = values.port === undefined ? 8000 : parsePort(values.port);
  if (basePort === undefined) throw new FarmError("USAGE", `${JSON.stringify(values.port)} is not a port`);
  const farm = await startFarm({
    basePort,
    demoRoot: values["demo-root"] ?? "demo-farm",
    write: (text) => process.stderr.write(text),
    ...(farmFile === undefined ? {} : { farmFile }),
  });
  farm.supervisor.onReady((name) => process.stdout.write(`${name} serves\n`));
  await new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  await farm.close();
}
