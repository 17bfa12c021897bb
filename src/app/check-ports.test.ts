import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";

import { expect, test } from "vitest";

import { parseFarmConfig } from "../config/parse-farm-config.ts";
import { checkPorts } from "./check-ports.ts";

const configOf = (https: number, health: number) => {
  const reading = parseFarmConfig(`farm: test
nodes: [{ name: web1, addresses: [127.0.0.1], ports: { 443: ${https} }, health: 127.0.0.1:${health} }]
sites: [{ name: www, bindings: ["https://www.example.com"], content: www }]
`);
  if (reading.kind === "invalid") throw new Error(JSON.stringify(reading.problems));
  return reading.config;
};

async function listening(): Promise<{ readonly port: number; close(): void }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

test("ports in use are named together with who wants them; free ones pass, and are free afterwards", async () => {
  const [one, two] = [await listening(), await listening()];
  await expect(checkPorts(configOf(one.port, two.port))).rejects.toMatchObject({
    code: "FARM_NOT_STARTED",
    facts: {
      problems: [
        expect.stringContaining(`127.0.0.1:${one.port} for web1: another process uses it`) as string,
        expect.stringContaining(`127.0.0.1:${two.port} for the health endpoint of web1`) as string,
      ],
    },
  });
  one.close();
  two.close();
  const config = configOf(one.port, two.port);
  await checkPorts(config);
  await checkPorts(config);
});
