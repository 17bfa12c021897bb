import type { S3Client } from "@aws-sdk/client-s3";

/** The SDK and one client of it. */
export interface Connection {
  readonly sdk: typeof import("@aws-sdk/client-s3");
  readonly client: S3Client;
}

const CONNECT_MS = 3_000;
/** Without an octet from the other side. */
const SILENCE_MS = 15_000;

/** `tries`: how often a request is sent at most. */
export async function openConnection(environment: NodeJS.ProcessEnv, tries: number): Promise<Connection> {
  // The SDK says at each start on Node 20 which Node its later versions will want; the version in use is fixed.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
  const sdk = await import("@aws-sdk/client-s3");
  // A server that is not AWS's rarely has a name of its own for each bucket.
  const isOther = environment["AWS_ENDPOINT_URL_S3"] !== undefined || environment["AWS_ENDPOINT_URL"] !== undefined;
  const client = new sdk.S3Client({
    forcePathStyle: isOther,
    maxAttempts: tries,
    // The digest of each body is signed, which every server of this kind knows; the checksums that newer ones add are not needed.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: SILENCE_MS },
    ...(isOther && environment["AWS_REGION"] === undefined ? { region: "us-east-1" } : {}),
  });
  return { sdk, client };
}
