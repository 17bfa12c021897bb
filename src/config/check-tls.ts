import type { ConfigPath } from "./read-yaml.ts";
import type { DraftParts } from "./draft-parts.ts";
import { resolveTls } from "./resolve.ts";
import type { Report } from "./report.ts";
import type { TlsDraft } from "./schema.ts";
import type { TlsPolicy } from "./types.ts";

/** Checks of the farm's TLS policy and of each site's. */
export function checkTls(parts: DraftParts, report: Report): void {
  const farm = resolveTls(parts.tls);
  checkPolicy(parts.tls, farm, ["tls"], report);
  for (const { value: site, index } of parts.sites) {
    if (site.tls !== undefined) checkPolicy(site.tls, resolveTls(site.tls, farm), ["sites", index, "tls"], report);
  }
}

function checkPolicy(written: TlsDraft, policy: TlsPolicy, path: ConfigPath, report: Report): void {
  if (policy.minVersion > policy.maxVersion) {
    const key = written.minVersion === undefined ? "maxVersion" : "minVersion";
    report.error([...path, key], `minVersion ${policy.minVersion} is above maxVersion ${policy.maxVersion}`);
  }
  if (new Set(policy.alpn).size < policy.alpn.length) report.error([...path, "alpn"], "a protocol is named twice");
  if (policy.clientCertificates !== "none" && policy.clientCaFile === undefined) {
    report.error(
      [...path, "clientCertificates"],
      `client certificates need \`clientCa\`: a file of authorities, or any certificate would do`,
    );
  }
  if (written.clientCa !== undefined && policy.clientCertificates === "none") {
    report.warning([...path, "clientCa"], "has no effect: clientCertificates is none");
  }
  if (policy.alpn[0] === "http/1.1" && policy.alpn.includes("h2")) {
    report.warning([...path, "alpn"], "h2 is never agreed on: clients that speak it speak http/1.1 too, which comes first");
  }
}
