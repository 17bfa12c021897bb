import { FarmError } from "../../../base/index.ts";

/** A bucket and where in it the blobs lie. */
export interface BucketAddress {
  readonly bucket: string;
  /** Before every name: empty, or ends in `/`. */
  readonly prefix: string;
  /** `s3://BUCKET/PREFIX`, for people. */
  readonly text: string;
}

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
const FORM = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._~/-]{0,500}))?$/;

/** Reads `s3://BUCKET[/PREFIX]`. @throws STORE_URL_INVALID, without the text of what could be a password */
export function parseBucketAddress(text: string): BucketAddress {
  if (text.includes("@")) throw invalid("it names a user; credentials come from the environment, as for any tool of AWS");
  const [, bucket, path = ""] = FORM.exec(text) ?? [];
  if (bucket === undefined) throw invalid(`${JSON.stringify(text.slice(0, 120))} is not one`);
  const prefix = path.replace(/^\/+|\/+$/g, "");
  if (prefix.split("/").some((part) => part === "." || part === ".." || (part === "" && prefix !== "")))
    throw invalid("its prefix has an empty part, . or ..");
  return { bucket, prefix: prefix === "" ? "" : `${prefix}/`, text: `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}` };
}

const invalid = (problem: string): FarmError =>
  new FarmError("STORE_URL_INVALID", `address of blobs: ${problem}; the form is s3://BUCKET/PREFIX`);
