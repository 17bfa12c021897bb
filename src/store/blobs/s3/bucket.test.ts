import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { createServer, type AddressInfo } from "node:net";

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { chunks, collect, sha256 } from "../../conformance/place.ts";
import { startS3, type S3Server } from "../../testing/s3-server.ts";
import type { BlobPlace } from "../place.ts";
import { parseBucketAddress } from "./address.ts";
import { createBucket } from "./bucket.ts";

let server: S3Server;
const opened: BlobPlace[] = [];

beforeAll(async () => {
  server = await startS3(["farm-blobs"]);
});
afterAll(async () => {
  await Promise.all(opened.map((place) => place.close()));
  await server.close();
  vi.unstubAllEnvs();
});

/** The SDK looks into the process's own environment. */
function open(address: string, more: Readonly<Record<string, string | undefined>> = {}): BlobPlace {
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN"]) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries({ ...server.environment, ...more })) vi.stubEnv(name, value);
  const place = createBucket(parseBucketAddress(address), process.env);
  opened.push(place);
  return place;
}

async function digestsOf(place: BlobPlace): Promise<readonly string[]> {
  const all: string[] = [];
  for await (const { digest } of place.list()) all.push(digest);
  return all.toSorted();
}

describe("blobs in a bucket", () => {
  it.each([
    ["0 octets", 0],
    ["1 octet", 1],
    ["3 MB", 3_000_000],
    ["20 MB, which wait in a file", 20_000_000],
  ])("%s come back unchanged, and from another process", async (_name, size) => {
    const bytes = Uint8Array.from(randomBytes(size));
    const digest = await open("s3://farm-blobs/sizes").put(chunks(bytes));
    expect(digest).toBe(`sha256:${sha256(bytes)}`);
    expect(Buffer.compare(await collect(open("s3://farm-blobs/sizes").get(digest)), bytes)).toBe(0);
  });

  it("are listed below their prefix alone, known, and gone after removal", async () => {
    const place = open("s3://farm-blobs/listed");
    await open("s3://farm-blobs/listed-too").put(chunks(Uint8Array.of(9)));
    const digests = await Promise.all([1, 2, 3].map((one) => place.put(chunks(Uint8Array.of(one)))));
    expect(await digestsOf(place)).toEqual(digests.toSorted());
    const [first = ""] = digests;
    expect(await place.has(first)).toBe(true);
    await place.remove(first);
    await place.remove(first);
    expect(await place.has(first)).toBe(false);
    expect(await digestsOf(place)).toHaveLength(2);
    await expect(collect(place.get(first))).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("no blob"),
    });
  });

  it("are listed over more than one page", async () => {
    open("s3://farm-blobs/many");
    const place = createBucket(parseBucketAddress("s3://farm-blobs/many"), process.env, { pageSize: 2 });
    opened.push(place);
    const digests = await Promise.all([1, 2, 3, 4, 5].map((one) => place.put(chunks(Uint8Array.of(one)))));
    expect(await digestsOf(place)).toEqual(digests.toSorted());
  });

  it("of a source that fails are not kept, and its own error is told", async () => {
    const place = open("s3://farm-blobs/failing");
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1);
      throw new Error("the source broke");
    }
    await expect(place.put(failing())).rejects.toThrow("the source broke");
    expect(await digestsOf(place)).toEqual([]);
  });

  it("that are not what their name says are refused before their last octet is handed out", async () => {
    const { PutObjectCommand, S3Client } = await import("@aws-sdk/client-s3");
    const place = open("s3://farm-blobs/altered");
    const hex = createHash("sha256").update("the right text").digest("hex");
    const client = new S3Client({ forcePathStyle: true });
    await client.send(new PutObjectCommand({ Bucket: "farm-blobs", Key: `altered/${hex}`, Body: "the wrong text" }));
    client.destroy();
    const seen: Uint8Array[] = [];
    const read = async (): Promise<void> => {
      for await (const piece of place.get(`sha256:${hex}`)) seen.push(piece);
    };
    await expect(read()).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    expect(seen).toEqual([]);
  });

  it("are no longer read when nobody wants them", async () => {
    const place = open("s3://farm-blobs/cancelled");
    const digest = await place.put(chunks(Uint8Array.from(randomBytes(1_000_000))));
    await expect(collect(place.get(digest, { signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("need little memory, however large they are", async () => {
    const place = open("s3://farm-blobs/large");
    const piece = Uint8Array.from(randomBytes(1_000_000));
    let most = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < 150; at += 1) {
        most = Math.max(most, process.memoryUsage().arrayBuffers);
        yield piece;
      }
    }
    const before = process.memoryUsage().arrayBuffers;
    const digest = await place.put(source());
    let size = 0;
    for await (const part of place.get(digest)) {
      size += part.byteLength;
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
    expect(size).toBe(150_000_000);
    expect(most - before).toBeLessThan(80_000_000);
  });
});

describe("a bucket that cannot be used is told", () => {
  const trial = (place: BlobPlace): Promise<string> => place.put(chunks(Uint8Array.of(1, 2, 3)));

  it.each([
    ["a wrong bucket", "s3://no-such-bucket", {}, "BLOBS_BUCKET_ABSENT"],
    ["an unknown key", "s3://farm-blobs", { AWS_ACCESS_KEY_ID: "AKIDNOBODY" }, "BLOBS_DENIED"],
    [
      "no credentials at all",
      "s3://farm-blobs",
      { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, HOME: "/nonexistent", AWS_SHARED_CREDENTIALS_FILE: "/nonexistent" },
      "BLOBS_DENIED",
    ],
  ])("%s", async (_name, address, more, code) => {
    await expect(trial(open(address, more))).rejects.toMatchObject({ code });
  });

  it("a server that is not there", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as AddressInfo; // a TCP server has one
    free.close();
    const place = open("s3://farm-blobs", { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` });
    await expect(trial(place)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", message: expect.stringContaining("ECONNREFUSED") });
  });

  it("a clock that is two hours ahead is set right by the server's", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 7_200_000 });
    try {
      const digest = await trial(open("s3://farm-blobs/skewed"));
      expect(await collect(open("s3://farm-blobs/skewed").get(digest))).toHaveLength(3);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    ["access denied", 403, "AccessDenied", "BLOBS_DENIED"],
    ["a wrong secret", 403, "SignatureDoesNotMatch", "BLOBS_DENIED"],
    ["a token that ran out", 400, "ExpiredToken", "BLOBS_DENIED"],
    ["a clock that no correction mends", 403, "RequestTimeTooSkewed", "BLOBS_CLOCK_WRONG"],
    ["a bucket of another region", 301, "PermanentRedirect", "BLOBS_BUCKET_ABSENT"],
    ["a server that is too busy", 503, "SlowDown", "STORE_UNAVAILABLE"],
  ])("%s, as AWS answers it", async (_name, status, reason, code) => {
    // As in https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${reason}</Code><Message>told by the server</Message></Error>`;
    const answering = http.createServer((request, response) => {
      request.resume();
      response.sendDate = false;
      response.writeHead(status, { "content-type": "application/xml" }).end(request.method === "HEAD" ? undefined : body);
    });
    await once(answering.listen(0, "127.0.0.1"), "listening");
    try {
      const { port } = answering.address() as AddressInfo; // a TCP server has one
      const failing = trial(open("s3://farm-blobs", { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}` }));
      await expect(failing).rejects.toMatchObject({ code, message: expect.stringContaining("told by the server") });
    } finally {
      answering.closeAllConnections();
      answering.close();
    }
  });
});
