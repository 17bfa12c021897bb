import { applicationName } from "../../bindings/index.ts";
import type { EvidenceRow } from "../evidence.ts";

const OWN = new Set(["IIS", "certfarm"]);

/** The other service that made a row, when its application id is a known one: it is likely to make the row again. */
export function otherService({ appId }: EvidenceRow): string | undefined {
  const name = appId === undefined ? undefined : applicationName(appId);
  return name === undefined || OWN.has(name) ? undefined : name;
}

/** A row that neither IIS nor certfarm made. */
export const isForeign = ({ appId }: EvidenceRow): boolean => appId !== undefined && !OWN.has(applicationName(appId) ?? "");

/** `AD FS or Web Application Proxy`, else `application {GUID}`. */
export const ownerText = ({ appId }: EvidenceRow): string =>
  appId === undefined ? "an unknown application" : (applicationName(appId) ?? `application ${appId}`);
