import { resolve } from "node:path";

import { describe, expect, it } from "vitest";

import { parseStorePlace, readStoreSettings } from "./index.ts";

describe("a place of a store", () => {
  it.each([
    ["a path", "/mnt/farm", { kind: "directory", root: "/mnt/farm" }],
    ["a relative path", "farm", { kind: "directory", root: resolve("farm") }],
    ["etcd", "etcds://db1:2379,db2/farms/one", { kind: "etcd", url: "etcds://db1:2379,db2/farms/one" }],
    ["etcd with a user", "etcd://ops%40home@127.0.0.1/x", { kind: "etcd", url: "etcd://127.0.0.1/x", user: "ops@home" }],
  ])("is %s", (_what, text, place) => {
    expect(parseStorePlace(text)).toEqual(place);
  });

  it.each([
    ["nothing", ""],
    ["another service", "https://example.com/store"],
    ["etcd with a password", "etcds://user:secret@db1/x"],
    ["etcd with an empty user", "etcds://@db1/x"],
    ["etcd with a user that is not encoded well", "etcds://%zz@db1/x"],
    ["etcd without a member", "etcds:///x"],
  ])("is refused when it is %s, and no secret is told", (_what, text) => {
    const refusal = expect.objectContaining({ code: "STORE_URL_INVALID", message: expect.not.stringContaining("secret") as string });
    expect(() => parseStorePlace(text)).toThrow(refusal as Error);
  });
});

describe("settings of a store", () => {
  const place = "etcds://ops@db1/x";

  it("come from options by flag or as commander names them, and else from the environment", () => {
    const environment = { CERTFARM_STORE: "/mnt/other", CERTFARM_STORE_CA: "/etc/ca.pem", CERTFARM_BLOBS: "blobs" };
    const given = { store: place, storePasswordFile: "/etc/password", "store-cert": "/etc/c.pem", storeKey: "/etc/c.key" };
    expect(readStoreSettings(given, environment)).toEqual({
      place,
      passwordFile: "/etc/password",
      caFile: "/etc/ca.pem",
      certFile: "/etc/c.pem",
      keyFile: "/etc/c.key",
      blobs: resolve("blobs"),
    });
    expect(readStoreSettings({ store: "x", blobs: "s3://bucket/p" }, {})).toEqual({ place: resolve("x"), blobs: "s3://bucket/p" });
    expect(readStoreSettings({}, {})).toBeUndefined();
  });

  it.each([
    ["a user without a password file", { store: place }, "STORE_URL_INVALID"],
    ["a password file without a user", { store: "etcds://db1/x", storePasswordFile: "p" }, "STORE_URL_INVALID"],
    ["a certificate without its key", { store: "etcds://db1/x", storeCert: "c" }, "USAGE"],
    ["an authority for a directory", { store: "/mnt/farm", storeCa: "c" }, "USAGE"],
  ])("are refused with %s", (_what, given, code) => {
    expect(() => readStoreSettings(given, {})).toThrow(expect.objectContaining({ code }) as Error);
  });
});
