import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Copy, DockerfileParser, type Instruction } from "dockerfile-ast";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { run } from "./farm/run.ts";

const DEPLOY = fileURLToPath(new URL("../deploy/", import.meta.url));
const UNITS = ["certfarm-node@.service", "certfarm-balancer.service", "certfarm-admin.service"];
/** systemd's measure of what a service could still do, in tenths: 100 = everything, 0 = nothing; ordinary services have about 90. */
const MOST_EXPOSED = 20;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "certfarm-units-"));
  await writeFile(join(folder, "certfarm"), "#!/bin/sh\n");
  await chmod(join(folder, "certfarm"), 0o755);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const unit = (name: string): Promise<string> => readFile(join(DEPLOY, "systemd", name), "utf8");

describe.each(UNITS)("%s", (name) => {
  it("is what systemd takes, without a word", async () => {
    // systemd looks for the program: it is not installed where tests run.
    const path = join(folder, name);
    await writeFile(path, (await unit(name)).replace("ExecStart=certfarm ", `ExecStart=${folder}/certfarm `));
    expect(await run("systemd-analyze", ["verify", "--man=no", path])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  it("leaves the process little that it could do", async () => {
    const args = ["security", "--offline=true", `--threshold=${MOST_EXPOSED}`, "--no-pager", join(DEPLOY, "systemd", name)];
    const { code, stdout } = await run("systemd-analyze", args);
    expect([code, stdout.match(/Overall exposure level.*/)?.[0]]).toEqual([0, expect.stringMatching(/: [01]\.\d OK/)]);
  });

  it("keeps core dumps off and lets connections end", async () => {
    const text = await unit(name);
    expect(text).toMatch(/^LimitCORE=0$/m);
    expect(text).toMatch(/^NoNewPrivileges=yes$/m);
    const [, seconds] = /^TimeoutStopSec=(\d+)$/m.exec(text) ?? [];
    // 2.5 s of notice and 10 s of draining for a node, drainTimeout's default of 30 s for a balancer.
    expect(Number(seconds)).toBeGreaterThan(name.includes("node") ? 12.5 : name.includes("balancer") ? 30 : 10);
  });
});

describe("the Containerfile", () => {
  let lines: readonly Instruction[];
  let last: readonly Instruction[];
  beforeAll(async () => {
    lines = DockerfileParser.parse(await readFile(join(DEPLOY, "Containerfile"), "utf8")).getInstructions();
    last = lines.slice(lines.findLastIndex((line) => line.getKeyword() === "FROM"));
  });
  const all = (keyword: string, among = last): readonly string[] =>
    among.filter((line) => line.getKeyword() === keyword).map((line) => line.getArgumentsContent() ?? "");

  it("has only instructions that there are", () => {
    const known = ["FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"];
    expect(lines.map((line) => line.getKeyword()).filter((keyword) => !known.includes(keyword))).toEqual([]);
  });

  it("is built on Debian's image of a Node.js that certfarm takes, by version", () => {
    for (const from of all("FROM", lines)) expect(from).toMatch(/^node:20-bookworm-slim( AS build)?$/);
  });

  it("runs as no root, by number, so that an orchestrator can see it", () => {
    const users = all("USER");
    expect(users.at(-1)).toMatch(/^[1-9]\d{3,}$/);
    expect(last.findIndex((line) => line.getKeyword() === "USER")).toBeGreaterThan(
      last.findLastIndex((line) => line.getKeyword() === "RUN"),
    );
  });

  it("asks /readyz for its health", () => {
    expect(all("ENV").join()).toMatch(/CERTFARM_HEALTH=http:\S+\/readyz/);
    expect(all("HEALTHCHECK")).toEqual([expect.stringMatching(/CMD \["node", "-e", .*process\.env\.CERTFARM_HEALTH/s)]);
  });

  it("gets signals itself, with no shell in between", () => {
    for (const keyword of ["ENTRYPOINT", "CMD"]) expect(JSON.parse(all(keyword)[0] ?? "")).toEqual(expect.any(Array));
    expect(all("STOPSIGNAL")).toEqual(["SIGTERM"]);
  });

  it("brings no secret and no folder of the repository into the image that runs", () => {
    const copies = last.filter((line): line is Copy => line instanceof Copy);
    expect(copies.map((line) => [line.getFromFlag()?.getValue(), line.getArgumentsContent()])).toEqual([
      ["build", "/tmp/certfarm-*.tgz /tmp/"],
    ]);
    expect(lines.map((line) => line.getArgumentsContent()).join()).not.toMatch(/password|secret=|BEGIN/i);
    expect(all("ADD", lines)).toEqual([]);
  });

  it("runs no scripts of packages that it installs", () => {
    for (const command of all("RUN", lines).filter((line) => /npm (ci|install)/.test(line))) expect(command).toContain("--ignore-scripts");
  });
});
