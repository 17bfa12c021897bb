import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FarmError } from "../../../base/index.ts";
import { diskError, isAbsent, readWholeFile, writeNewFile } from "./disk.ts";

const failure = (code: string): Error => Object.assign(new Error(code), { code });

describe("a failure of the disk", () => {
  it.each([
    ["a full disk", "ENOSPC", "the disk is full; nothing was written"],
    ["a used-up quota", "EDQUOT", "nothing was written"],
    ["denied access", "EACCES", "access is denied"],
    ["a file that is not there", "ENOENT", "is the share mounted"],
    ["a share that was exported anew", "ESTALE", "mount it again"],
    ["anything else", "EIO", "the disk failed (EIO)"],
  ])("names the file and says %s", (_name, code, words) => {
    const error = diskError(failure(code), "writing /farm/config/farm.yaml");
    expect(error).toMatchObject({ code: "STORE_UNAVAILABLE", facts: { errno: code } });
    expect(error.message).toContain("writing /farm/config/farm.yaml");
    expect(error.message).toContain(words);
  });

  it("leaves an error of our own as it is", () => {
    const error = new FarmError("STORE_CONFLICT", "k");
    expect(diskError(error, "writing k")).toBe(error);
  });

  it.each([
    ["ENOENT", true],
    ["ENOTDIR", true],
    ["ENAMETOOLONG", true],
    ["EACCES", false],
    ["EIO", false],
    ["ESTALE", false],
    ["ETIMEDOUT", false],
  ])("%s means absence: %s", (code, absent) => {
    expect(isAbsent(failure(code))).toBe(absent);
  });
});

describe("whole files", () => {
  let directory = "";
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "certfarm-disk-"));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it.each([0, 1, 16_383, 16_384, 16_385, 700_000])("of %i octets are read whole", async (length) => {
    const bytes = Buffer.alloc(length, "abc");
    await writeFile(join(directory, "a"), bytes);
    expect(Buffer.compare(await readWholeFile(join(directory, "a")), bytes)).toBe(0);
  });

  it("are created once and leave nothing behind when they cannot be written", async () => {
    await writeNewFile(join(directory, "a"), Buffer.from("1"), 0o600);
    await expect(writeNewFile(join(directory, "a"), Buffer.from("2"), 0o600)).rejects.toMatchObject({ code: "EEXIST" });
    expect((await readWholeFile(join(directory, "a"))).toString()).toBe("1");
    expect(await readdir(directory)).toEqual(["a"]);
  });
});
