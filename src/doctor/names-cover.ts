import { parseHostPattern, patternCovers, type HostName } from "../base/index.ts";

/** Whether one of a certificate's names, as a peer or a file gave them, covers the host. */
export function namesCover(dnsNames: readonly string[], host: HostName): boolean {
  return dnsNames.some((name) => {
    const pattern = parseHostPattern(name);
    return pattern !== undefined && patternCovers(pattern, host);
  });
}
