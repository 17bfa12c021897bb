import { describe, expect, it } from "vitest";

import { parseBucketAddress } from "./address.ts";

describe("an address of blobs in a bucket", () => {
  it.each([
    ["s3://farm-blobs", "farm-blobs", ""],
    ["s3://farm-blobs/", "farm-blobs", ""],
    ["s3://farm.blobs/eu/web", "farm.blobs", "eu/web/"],
    ["s3://farm-blobs/eu/web/", "farm-blobs", "eu/web/"],
  ])("%s is read", (text, bucket, prefix) => {
    expect(parseBucketAddress(text)).toMatchObject({ bucket, prefix });
  });

  it.each([
    ["s3://", "no bucket"],
    ["s3://Farm", "a capital letter"],
    ["s3://a", "a bucket's name of one letter"],
    ["s3://farm-blobs/../other", "a way out"],
    ["s3://farm-blobs/a//b", "an empty part"],
    ["s3://farm-blobs/a?x=1", "a query"],
    ["https://farm-blobs.s3.amazonaws.com/", "an address of the web"],
  ])("%s is refused: %s", (text) => {
    expect(() => parseBucketAddress(text)).toThrow(expect.objectContaining({ code: "STORE_URL_INVALID" }));
  });

  it("credentials in it are refused and not repeated", () => {
    expect(() => parseBucketAddress("s3://AKIA:hunter2@farm-blobs")).toThrow(
      expect.objectContaining({ code: "STORE_URL_INVALID", message: expect.not.stringContaining("hunter2") as unknown }),
    );
  });
});
