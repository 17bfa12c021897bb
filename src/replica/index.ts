/** What the farm shares beyond certificates: configuration revisions, content, node reports, requests to nodes, ticket keys. */
export type {
  ConfigState,
  HostProof,
  Manifest,
  ManifestFile,
  NodeReport,
  NodeRequest,
  Revision,
  TicketKey,
  TicketKeySet,
} from "./types.ts";
