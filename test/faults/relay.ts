import { once } from "node:events";

import { addressOf, type Heal, type Host, type Network } from "./network.ts";

/** The host in the middle of slow lines. */
export interface Relay {
  /** From now on what `from` dials at these ports of `to` takes so long, each way. */
  slow(from: Host, to: Host, ports: readonly number[]): Heal;
  stop(): void;
}

const DELAY_MS = 300;
const FIRST_PORT = 7000;

/** Starts the relay with a line to each of these doors. */
export async function startRelay(
  network: Network,
  script: string,
  doors: readonly { readonly host: Host; readonly port: number }[],
): Promise<Relay> {
  const child = network.spawn("relay", [process.execPath, script], { stdio: ["ignore", "ignore", "ignore", "ipc"] });
  const lines = doors.map((door, index) => ({ ...door, line: FIRST_PORT + index }));
  for (const { host, port, line } of lines) {
    child.send({ port: line, host: addressOf(host), targetPort: port, delayMs: DELAY_MS });
    await once(child, "message");
  }
  return {
    slow(from, to, ports) {
      const heals = ports.map((port) => {
        const found = lines.find((one) => one.host === to && one.port === port);
        if (found === undefined) throw new Error(`there is no slow line to ${to}:${port}`);
        return network.divert(from, { host: to, port }, { host: "relay", port: found.line });
      });
      return () => heals.forEach((heal) => heal());
    },
    stop: () => void child.kill("SIGKILL"),
  };
}
