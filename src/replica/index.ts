/** What the farm shares beyond certificates: configuration revisions, content, node reports, requests to nodes, ticket keys. */
export { readConfigProblem, type ConfigProblemRecord } from "./config-problem.ts";
export type { Judge, Judgement } from "./config-duty.ts";
export type { ContentTree } from "./content-disk.ts";
export { createContentReplica, type ContentReplica, type ContentReplicaSettings, type ContentReport } from "./content-replica.ts";
export { listContent, publishSent, sendContent, type PublishedContent, type SentContent } from "./push-content.ts";
export { createDrains, type Drain, type Drains } from "./drains.ts";
export { createDuties, type Duties, type DutiesSettings } from "./duties.ts";
export { createLastGood, type LastGood, type LastGoodReading } from "./last-good.ts";
export { readConfig } from "./read-config.ts";
export { createReports, type AgedReport, type PublishOutcome, type Reports } from "./reports.ts";
export type { SendOptions } from "./request-sender.ts";
export type { RequestHandler } from "./request-server.ts";
export { createRequestRefusals, type RefusedRequests, type RequestRefusals } from "./request-refusals.ts";
export { createRequests, type Requests } from "./requests.ts";
export { createRevisions, type AppendedRevision, type NewRevision, type Revisions } from "./revisions.ts";
export { signFarm, type SignedFarm, type SignFarmRequest } from "./sign-farm.ts";
export { createTicketKeys, type TicketKeys, type TicketKeysSettings } from "./ticket-keys.ts";
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
