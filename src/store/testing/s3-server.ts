import { spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

import { makeTempRoot } from "./temp-root.ts";

/** A real S3 server on loopback, and the environment that leads any tool of AWS to it. */
export interface S3Server {
  readonly environment: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const PROGRAM = `
const [library, settings] = process.argv.slice(1);
const server = new (require(library))(JSON.parse(settings));
server.run().then(({ port }) => console.log(port));
`;

/** Starts one (s3rver, a process of its own) with these buckets. It keeps objects as files and knows one key. */
export async function startS3(buckets: readonly string[]): Promise<S3Server> {
  const directory = await makeTempRoot();
  const configureBuckets = buckets.map((name) => ({ name, configs: [] }));
  const settings = JSON.stringify({ address: "127.0.0.1", port: 0, silent: true, directory, configureBuckets });
  const library = createRequire(import.meta.url).resolve("s3rver");
  // It makes the marks between pages of a list with DES.
  const args = ["--openssl-legacy-provider", "-e", PROGRAM, library, settings];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const [port] = (await once(createInterface({ input: child.stdout }), "line")) as [string]; // its one line
  return {
    environment: {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "S3RVER",
      AWS_SECRET_ACCESS_KEY: "S3RVER",
    },
    async close() {
      child.kill("SIGKILL");
      await once(child, "exit");
      await rm(directory, { recursive: true, force: true });
    },
  };
}
