import { Readable } from "node:stream";

import { FarmError } from "../../../base/index.ts";
import type { Spooled } from "../spool.ts";
import { bucketError, isAbsentBlob } from "./bucket-error.ts";
import type { Connection } from "./connection.ts";

const HEX = /^[0-9a-f]{64}$/;

/** Does something and makes what it throws ours. */
export type Attempt = <T>(doing: string, work: (connection: Connection) => Promise<T>) => Promise<T>;

/** An object of a bucket. */
export interface ObjectName {
  readonly bucket: string;
  readonly key: string;
}

/** @throws what the SDK throws */
export async function isThere({ sdk, client }: Connection, { bucket, key }: ObjectName): Promise<boolean> {
  try {
    await client.send(new sdk.HeadObjectCommand({ Bucket: bucket, Key: key }));
    return true;
  } catch (error) {
    if (isAbsentBlob(error)) return false;
    // An answer to HEAD has no text: a list says what is wrong, or tells it all the same.
    const page = await client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: key, MaxKeys: 1 }));
    return (page.Contents ?? []).length > 0;
  }
}

/** Every object below a prefix that is named by a digest, page by page. */
export async function* listObjects(
  attempt: Attempt,
  where: { readonly bucket: string; readonly prefix: string; readonly pageSize: number },
): AsyncGenerator<{ readonly digest: string; readonly size: number }> {
  const { bucket, prefix, pageSize } = where;
  let token: string | undefined;
  do {
    const asked = { Bucket: bucket, Prefix: prefix, MaxKeys: pageSize, ContinuationToken: token };
    const page = await attempt("listing", ({ sdk, client }) => client.send(new sdk.ListObjectsV2Command(asked)));
    for (const { Key = "", Size = 0 } of page.Contents ?? [])
      if (HEX.test(Key.slice(prefix.length))) yield { digest: `sha256:${Key.slice(prefix.length)}`, size: Size };
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

/** Sends it once. @throws what the SDK throws */
export async function sendObject({ sdk, client }: Connection, { bucket, key }: ObjectName, blob: Spooled): Promise<void> {
  const Body = blob.bytes ?? Readable.from(blob.read(), { objectMode: false });
  const command = new sdk.PutObjectCommand({
    Bucket: bucket,
    Key: key,
    Body,
    ContentLength: blob.size,
    ContentType: "application/octet-stream",
  });
  // Signed as part of the request, so the server refuses a body that is not this one.
  command.middlewareStack.add(
    (next) => (given) => {
      if (isRequest(given.request)) given.request.headers["x-amz-content-sha256"] = blob.hex;
      return next(given);
    },
    { step: "build", name: "digestOfTheBody" },
  );
  await client.send(command);
}

const isRequest = (request: unknown): request is { readonly headers: Record<string, string> } =>
  typeof request === "object" && request !== null && "headers" in request;

/** The octets of an object as they come. */
export async function* readObject(read: {
  readonly attempt: Attempt;
  readonly where: ObjectName;
  readonly location: string;
  readonly signal: AbortSignal | undefined;
}): AsyncGenerator<Uint8Array> {
  const { where, location, signal } = read;
  const requireWanted = (): void => {
    if (signal?.aborted === true) throw new FarmError("CANCELLED", `reading from ${location} was cancelled`);
  };
  requireWanted();
  const body = await read.attempt("reading from", async ({ sdk, client }) => {
    try {
      const command = new sdk.GetObjectCommand({ Bucket: where.bucket, Key: where.key });
      return (await client.send(command, signal === undefined ? {} : { abortSignal: signal })).Body;
    } catch (error) {
      requireWanted();
      if (!isAbsentBlob(error)) throw error;
      throw new FarmError("STORE_UNAVAILABLE", `there is no blob ${location}/${where.key.slice(-64)}`);
    }
  });
  try {
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      requireWanted();
      yield piece;
    }
  } catch (error) {
    requireWanted();
    throw bucketError(error, `reading from ${location}`);
  } finally {
    if (body instanceof Readable) body.destroy();
  }
}
