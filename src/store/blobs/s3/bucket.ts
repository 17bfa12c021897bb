import { FarmError, toFarmError } from "../../../base/index.ts";
import { digestHex } from "../../key.ts";
import { checkedBytes } from "../checked-bytes.ts";
import type { BlobPlace } from "../place.ts";
import { spool, type Spooled } from "../spool.ts";
import type { BucketAddress } from "./address.ts";
import { bucketError } from "./bucket-error.ts";
import { openConnection, type Connection } from "./connection.ts";
import { isThere, listObjects, type Attempt, type ObjectName, readObject, sendObject } from "./objects.ts";

/** Larger blobs wait in a temporary file: their digest is their name, and it is known at their end only. */
const IN_MEMORY = 8 * 1024 * 1024;
/** What S3 takes in one request. */
const MAX_BYTES = 5 * 1024 * 1024 * 1024;
const TRIES = 3;

/**
 * Blobs as objects of a bucket, named by their SHA-256: `PREFIX/<64 hex>`. Credentials, region and endpoint are found by the SDK's own chain
 * (environment, profile files, role of the machine). Every call throws BLOBS_DENIED, BLOBS_BUCKET_ABSENT, BLOBS_CLOCK_WRONG or, for what may
 * pass, STORE_UNAVAILABLE.
 */
export function createBucket(
  address: BucketAddress,
  environment: NodeJS.ProcessEnv,
  { pageSize = 1000 }: { readonly pageSize?: number } = {},
): BlobPlace {
  const { bucket, prefix, text: location } = address;
  const keyOf = (hex: string): string => prefix + hex;
  // Made at the first use: whoever keeps no blobs in a bucket never loads the SDK.
  let connecting: Promise<Connection> | undefined;
  const connect = (): Promise<Connection> => (connecting ??= openConnection(environment, TRIES));

  async function attempt<T>(doing: string, work: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await work(await connect());
    } catch (error) {
      throw bucketError(error, `${doing} ${location}`);
    }
  }
  const has = (digest: string): Promise<boolean> => {
    const key = keyOf(digestHex(digest));
    return attempt("looking into", (connection) => isThere(connection, { bucket, key }));
  };
  return {
    location,
    has,
    async put(source) {
      const blob = await spool(source, IN_MEMORY);
      try {
        if (!(await has(`sha256:${blob.hex}`))) await upload(attempt, { bucket, key: keyOf(blob.hex) }, blob);
        return `sha256:${blob.hex}`;
      } finally {
        await blob.close();
      }
    },
    get(digest, options) {
      const hex = digestHex(digest);
      const pieces = readObject({ attempt, where: { bucket, key: keyOf(hex) }, location, signal: options?.signal });
      return checkedBytes(pieces, hex, `${location}/${hex}`);
    },
    list: () => listObjects(attempt, { bucket, prefix, pageSize }),
    async remove(digest) {
      const Key = keyOf(digestHex(digest));
      await attempt("removing from", ({ sdk, client }) => client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key })));
    },
    async close() {
      (await connecting?.catch(() => undefined))?.client.destroy();
    },
  };
}

async function upload(attempt: Attempt, object: ObjectName, blob: Spooled): Promise<void> {
  if (blob.size > MAX_BYTES)
    throw new FarmError("STORE_VALUE_TOO_LARGE", `a blob has ${blob.size} octets; a bucket takes ${MAX_BYTES} in one request`);
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt("writing to", (connection) => sendObject(connection, object, blob));
    } catch (error) {
      // The SDK tries small blobs again by itself, but cannot send a stream twice.
      if (tries === TRIES || blob.bytes !== undefined || toFarmError(error).code !== "STORE_UNAVAILABLE") throw error;
    }
  }
}
