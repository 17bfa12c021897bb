import { randomBytes } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { farmKeySource, type FarmKeySettings } from "./farm-key-source.ts";
import { parseFarmKey } from "./farm-key.ts";
import { runKeyCommand } from "./key-command.ts";
import { makeFarmKeyFile } from "./new-farm-key.ts";

const octets = randomBytes(32);
const base64 = octets.toString("base64");
const wanted = parseFarmKey(octets, "a test").id;
let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "farm-key-"));
});
afterEach(() => rm(folder, { recursive: true }));

const write = async (name: string, contents: string | Uint8Array, mode = 0o600): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, contents);
  await chmod(path, mode);
  return path;
};
const script = (body: string): Promise<string> => write("key.sh", `#!/bin/sh\n${body}\n`, 0o700);
const load = async (settings: FarmKeySettings) => farmKeySource(settings)?.load();

describe("the farm key", () => {
  it.each<[string, () => Promise<FarmKeySettings>]>([
    ["a file of 32 octets", async () => ({ file: await write("key", octets) })],
    ["a file of base64 with a line's end", async () => ({ file: await write("key", `${base64}\r\n`, 0o400) })],
    ["base64 without padding", async () => ({ file: await write("key", base64.replace("=", "")) })],
    ["the environment", async () => ({ environment: { CERTFARM_FARM_KEY: base64 } })],
    ["a file that the environment names", async () => ({ environment: { CERTFARM_FARM_KEY_FILE: await write("key", octets) } })],
    ["a command", async () => ({ command: `${await script(`echo ${base64}`)} with arguments` })],
    ["a command that the environment names", async () => ({ environment: { CERTFARM_FARM_KEY_COMMAND: await script(`echo ${base64}`) } })],
    [
      "systemd's credentials",
      async () => {
        await write("farm-key", octets, 0o440);
        return { environment: { CREDENTIALS_DIRECTORY: folder } };
      },
    ],
    [
      "an option before the environment",
      async () => ({ file: await write("key", octets), environment: { CERTFARM_FARM_KEY: randomBytes(32).toString("base64") } }),
    ],
  ])("comes from %s", async (_what, settings) => {
    expect((await load(await settings()))?.id).toBe(wanted);
  });

  it("is none when nothing is given, and not two things at once", () => {
    expect(farmKeySource({ environment: {} })).toBeUndefined();
    expect(() => farmKeySource({ file: "a", command: "b" })).toThrow(expect.objectContaining({ code: "USAGE" }));
  });

  it.each<[string, () => Promise<string>, RegExp]>([
    ["a file that the group can read", () => write("key", octets, 0o640), /mode 0640.*chmod 600/],
    ["a file that all can read", () => write("key", octets, 0o604), /mode 0604/],
    ["a file that is not there", async () => join(folder, "absent"), /no such file/],
    ["a directory", async () => folder, /not a regular file/],
    ["31 octets", () => write("key", octets.subarray(1)), /neither 32 octets nor their base64 \(31 octets\)/],
    ["base64 of 33 octets", () => write("key", randomBytes(33).toString("base64")), /44 octets/],
    ["nothing", () => write("key", ""), /\(0 octets\)/],
    ["a large file", () => write("key", randomBytes(100_000)), /neither/],
    ["octets that are all the same", () => write("key", Buffer.alloc(32, 7)), /octets repeat/],
  ])("is refused from %s", async (_what, make, problem) => {
    const file = await make();
    await expect(load({ file })).rejects.toMatchObject({
      code: "SECRETS_KEY_INVALID",
      message: expect.stringMatching(problem) as string,
    });
  });

  it("is not quoted by a refusal", async () => {
    const text = `${base64}${base64}`;
    const refused = await load({ environment: { CERTFARM_FARM_KEY: text } }).catch((error: unknown) => error);
    expect(inspect(refused, { depth: 9 }) + JSON.stringify(refused)).not.toContain(base64.slice(0, 12));
    expect(inspect(refused)).toContain("CERTFARM_FARM_KEY");
  });

  it("does not hang on a pipe that nobody writes to", async () => {
    await mkdir(join(folder, "deeper"));
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", ["-m", "600", join(folder, "pipe")]);
    await expect(load({ file: join(folder, "pipe") })).rejects.toMatchObject({ code: "SECRETS_KEY_INVALID" });
  });
});

describe("a command for the farm key", () => {
  it.each<[string, string, RegExp]>([
    ["that fails", "echo KMS says no >&2; exit 3", /ended with 3; it said: KMS says no/],
    ["that prints too much", "yes", /prints more/],
    ["that is killed", "kill -9 $$", /SIGKILL/],
    ["that does not end", "sleep 60", /within 0.3 s/],
    ["that leaves a process behind and does not end", "sleep 61 & sleep 62", /within 0.3 s/],
  ])("%s is told, without its output", async (_what, body, problem) => {
    const command = await script(`echo ${base64.slice(0, 20)}\n${body}`);
    const began = performance.now();
    const refused = await runKeyCommand(command, body.startsWith("sleep") ? 300 : 10_000).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "SECRETS_KEY_COMMAND_FAILED", message: expect.stringMatching(problem) as string });
    expect(inspect(refused, { depth: 9 })).not.toContain(base64.slice(0, 20));
    expect(performance.now() - began).toBeLessThan(9_000);
  });

  it.each(["/absent/program", "  "])("%j cannot be run", async (command) => {
    await expect(runKeyCommand(command)).rejects.toMatchObject({ code: "SECRETS_KEY_COMMAND_FAILED" });
  });

  it("goes through no shell", async () => {
    const out = await runKeyCommand("printf %s $HOME;`id`");
    expect(Buffer.from(out).toString()).toBe("$HOME;`id`");
  });

  it("may leave a process behind that holds its output open", async () => {
    const command = await script(`sleep 30 &\necho ${base64}`);
    expect(
      Buffer.from(await runKeyCommand(command))
        .toString()
        .trim(),
    ).toBe(base64);
  });
});

describe("a new farm key", () => {
  it("is made once, for its user alone, and never over a file", async () => {
    const path = join(folder, "new");
    const made = await makeFarmKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await load({ file: path }))?.id).toBe(made.id);
    const before = await readFile(path);
    await expect(makeFarmKeyFile(path)).rejects.toMatchObject({ code: "SECRETS_KEY_EXISTS" });
    expect(await readFile(path)).toEqual(before);
    await expect(makeFarmKeyFile(join(folder, "absent", "new"))).rejects.toMatchObject({ code: "SECRETS_KEY_INVALID" });
  });
});
