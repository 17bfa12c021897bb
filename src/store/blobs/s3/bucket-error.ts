import { FarmError, systemCode, type ErrorCode } from "../../../base/index.ts";

/** What S3 and the SDK call it, and what it is here. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  AccessDenied: "BLOBS_DENIED",
  AccountProblem: "BLOBS_DENIED",
  AllAccessDisabled: "BLOBS_DENIED",
  CredentialsProviderError: "BLOBS_DENIED",
  ExpiredToken: "BLOBS_DENIED",
  Forbidden: "BLOBS_DENIED",
  InvalidAccessKeyId: "BLOBS_DENIED",
  InvalidToken: "BLOBS_DENIED",
  SignatureDoesNotMatch: "BLOBS_DENIED",
  NoSuchBucket: "BLOBS_BUCKET_ABSENT",
  PermanentRedirect: "BLOBS_BUCKET_ABSENT",
  RequestTimeTooSkewed: "BLOBS_CLOCK_WRONG",
  RequestExpired: "BLOBS_CLOCK_WRONG",
};

/** A failure of the SDK as ours; a FarmError stays itself. What is neither refused nor misnamed may pass: STORE_UNAVAILABLE. */
export function bucketError(thrown: unknown, doing: string): FarmError {
  if (thrown instanceof FarmError) return thrown;
  const { name, text, status } = factsOf(thrown);
  const code = CODES[name] ?? (status === 401 || status === 403 ? "BLOBS_DENIED" : regionless(text) ? "BLOBS_DENIED" : "STORE_UNAVAILABLE");
  const told = text === "" || text === "UnknownError" ? `HTTP status ${status ?? "unknown"}` : text;
  // The SDK's own error is not kept: it holds the whole request with its signature.
  return new FarmError(code, `${doing}: ${told}${name === "Error" || name === "" ? "" : ` (${name})`}`, {
    facts: { status, reason: systemCode(thrown) ?? name },
  });
}

const regionless = (text: string): boolean => text === "Region is missing";

/** True for the answers that mean "there is no such blob", in a bucket that is there. */
export function isAbsentBlob(thrown: unknown): boolean {
  const { name, status } = factsOf(thrown);
  return name === "NoSuchKey" || (status === 404 && name !== "NoSuchBucket");
}

function factsOf(thrown: unknown): { readonly name: string; readonly text: string; readonly status: number | undefined } {
  if (!(thrown instanceof Error)) return { name: "", text: String(thrown).slice(0, 300), status: undefined };
  const metadata: unknown = "$metadata" in thrown ? thrown.$metadata : undefined;
  const status: unknown =
    typeof metadata === "object" && metadata !== null && "httpStatusCode" in metadata ? metadata.httpStatusCode : undefined;
  // Several addresses of one name were tried: the first one's reason says it.
  const first: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  const text = first instanceof Error ? first.message : thrown.message;
  return { name: thrown.name, text: text.slice(0, 300), status: typeof status === "number" ? status : undefined };
}
