import { type BlobsOptions, openBlobDirectory, type OpenedBlobs } from "./directory.ts";
import { parseBucketAddress } from "./s3/address.ts";
import { createBucket } from "./s3/bucket.ts";

/** Opens a directory, or `s3://BUCKET/PREFIX`, for blobs. @throws STORE_URL_INVALID @throws STORE_OF_ANOTHER_FARM @throws STORE_UNAVAILABLE */
export async function openBlobs(text: string, options: BlobsOptions): Promise<OpenedBlobs> {
  if (!text.startsWith("s3:")) return openBlobDirectory(text, options);
  return { place: createBucket(parseBucketAddress(text), process.env) };
}
