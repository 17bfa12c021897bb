import { row, type ErrorRow } from "./error-row.ts";

/** What can go wrong with blobs in a bucket, and where a store is checked, copied, backed up or restored. */
export const STORE_ERRORS = {
  // blobs in S3
  BLOBS_DENIED: row(
    "The bucket refuses the credentials or the access, or there are no credentials",
    502,
    4,
    "Give credentials as for any tool of AWS (AWS_PROFILE, AWS_ACCESS_KEY_ID, a role of the machine), and the rights that docs/store-verbs.md names.",
  ),
  BLOBS_BUCKET_ABSENT: row(
    "There is no such bucket",
    502,
    2,
    "Check the bucket's name and AWS_REGION; certfarm makes no buckets. For a server that is not AWS set AWS_ENDPOINT_URL_S3.",
  ),
  BLOBS_CLOCK_WRONG: row(
    "The bucket's server and this machine differ by more than 15 minutes about the time",
    502,
    2,
    "Set this machine's clock (`timedatectl`, NTP): requests to S3 are signed with the time.",
  ),
  // backup, restore and copy
  BACKUP_DAMAGED: row(
    "A backup is cut off, altered, or no backup of certfarm",
    422,
    2,
    "Nothing was restored. Take another backup; the named entry is the first that is wrong.",
  ),
  STORE_NOT_EMPTY: row(
    "The place holds a farm's data already",
    409,
    4,
    "Name an empty place; or with --overwrite the same farm's data there becomes what the backup has.",
  ),
  STORE_IN_USE: row(
    "Processes work on the store that would be written to",
    409,
    4,
    "End them first (systemctl stop certfarm-node, …). After a move the old store is not copied over the new one any more.",
  ),
} as const satisfies Record<string, ErrorRow>;
