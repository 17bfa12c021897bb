import { describe, expect, it } from "vitest";

import { EVIDENCE_FORMAT, evidenceFileSchema } from "./evidence-file.ts";

const least = { format: EVIDENCE_FORMAT, version: 1, server: "WEB1", collectedAt: "2026-06-15T12:00:00.1234567Z" };

describe("evidenceFileSchema", () => {
  it("needs nothing but what the file is, whose and when", () => {
    expect(evidenceFileSchema.parse(least)).toEqual(least);
  });

  it("reads what PowerShell makes of lists and of nothing", () => {
    const file = {
      ...least,
      addresses: "10.0.0.4",
      os: null,
      central: { files: null, location: null },
      events: [],
      later: { anything: 1 },
    };
    expect(evidenceFileSchema.parse(file)).toEqual({ ...least, addresses: ["10.0.0.4"], central: {}, events: [] });
  });

  it.each([
    [{ addresses: [1] }, "addresses.0"],
    [{ os: { build: "20348" } }, "os.build"],
    [{ collectedAt: "yesterday" }, "collectedAt"],
    [{ central: { files: [{ name: "a.pfx", size: -1 }] } }, "central.files.0.size"],
    [{ certificates: { store: "My" } }, "certificates.0.thumbprint"],
    [{ version: 2 }, "version"],
    [{ server: "web\u001b[31m" }, "server"],
    [{ server: "../web1" }, "server"],
  ])("names the path of what is wrong in %j", (change, path) => {
    const result = evidenceFileSchema.safeParse({ ...least, ...change });
    expect(result.error?.issues.map((issue) => issue.path.join("."))).toContain(path);
  });

  it("complains of a few wrong entries of a list, and of too many entries, once", () => {
    const wrong = (entry: unknown, count: number) =>
      evidenceFileSchema.safeParse({ ...least, addresses: Array.from({ length: count }, () => entry) });
    expect(wrong(1, 100_000).error?.issues).toHaveLength(5);
    expect(wrong("::1", 200_001).error?.issues).toHaveLength(1);
  });
});
