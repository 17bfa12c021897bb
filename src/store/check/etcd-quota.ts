import http from "node:http";
import https from "node:https";

import type { EtcdMember } from "../drivers/etcd/url.ts";
import type { EtcdProbe } from "./etcd-probe.ts";

const LIMIT_MS = 3000;
const MAX_BYTES = 4 * 1024 * 1024;
// https://etcd.io/docs/v3.4/metrics/
const QUOTA = /^etcd_server_quota_backend_bytes ([0-9.e+]+)$/m;

/** A member's quota for its database, in octets, from its page of metrics; undefined when it does not show one. Never throws. */
export async function readQuota({ address, tls, closed }: EtcdProbe, { host, port }: EtcdMember): Promise<number | undefined> {
  const signal = AbortSignal.any([closed, AbortSignal.timeout(LIMIT_MS)]);
  const trust = { ca: tls?.ca, cert: tls?.cert, key: tls?.key?.reveal() };
  const given = { host, port, path: "/metrics", signal };
  try {
    const text = await new Promise<string>((resolve, reject) => {
      const request = address.secure ? https.get({ ...given, ...trust }) : http.get(given);
      request.once("response", (response) => void readText(response).then(resolve, reject));
      request.once("error", reject);
    });
    const quota = Number(QUOTA.exec(text)?.[1]);
    return quota > 0 ? quota : undefined;
  } catch {
    return undefined;
  }
}

async function readText(response: AsyncIterable<unknown>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    if (!Buffer.isBuffer(part)) continue;
    size += part.byteLength;
    if (size > MAX_BYTES) break;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
