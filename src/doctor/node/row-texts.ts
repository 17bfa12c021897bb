import { formatEndpoint, type IpAddress } from "../../base/index.ts";
import type { EvidenceRow, EvidenceRowKey, NodeEvidence } from "../evidence.ts";

/** A row's key as the server's own tools write it: `10.0.0.4:443`, `www.example.com:443`, `ccs=443`, `[::]:443`. */
export function keyText(key: EvidenceRowKey): string {
  switch (key.kind) {
    case "ip":
      return formatEndpoint(key);
    case "host":
      return `${key.host}:${key.port}`;
    case "scoped-central":
      return `scopedccs=${key.host}:${key.port}`;
    case "central":
      return `ccs=${key.port}`;
    case "any":
      return formatEndpoint({ address: (key.family === 6 ? "::" : "0.0.0.0") as IpAddress, port: key.port }); // both are canonical
  }
}

/** What a row names: `certificate 1A2B3C4D`, `file shop.pfx`. */
export function namedBy({ thumbprint, file }: EvidenceRow): string {
  if (file !== undefined) return `file ${file}`;
  return thumbprint === undefined ? "no certificate" : `certificate ${thumbprint.slice(0, 8)}`;
}

/** The command that takes a row out. */
export function deleteCommand(key: EvidenceRowKey, make: NodeEvidence["make"], node: string): string {
  if (make === "certfarm") return `certfarm bindings delete ${certfarmKey(key)} --node ${node}`;
  const option = { ip: "ipport=", any: "ipport=", host: "hostnameport=", central: "", "scoped-central": "" }[key.kind];
  return `netsh http delete sslcert ${option}${keyText(key)}`;
}

function certfarmKey(key: EvidenceRowKey): string {
  if (key.kind === "central") return `central:${key.port}`;
  return `${key.kind}:${keyText(key)}`;
}
