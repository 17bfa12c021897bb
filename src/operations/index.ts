/** Use cases: what an operator does with a farm, over the store. */
export type { AwaitSettings, Laggard, RolloutProgress } from "./await-revision.ts";
export type { BalancerView } from "./balancer-view.ts";
export { checkFilesHere, type CheckParts, type CheckRequest, type ListRequest } from "./certificate-verbs.ts";
export type { ApplyRequest, ConfigVerbs, RollbackRequest } from "./config-verbs.ts";
export { createOperations, type Operations } from "./create-operations.ts";
export type { FarmLook } from "./look/examine-farm.ts";
export type { LookControl, LookProgress } from "./look/look-settings.ts";
export { createJudge, type JudgeParts } from "./judge-saved-file.ts";
export type { MatrixCell, MatrixRow, ProofMatrix } from "./matrix.ts";
export type { PerNode } from "./ask-nodes.ts";
export type { BindingsAnswer, ExplainedName, NewRow, NodeVerbs, RefusalsAnswer, RefusalsRequest } from "./node-verbs.ts";
export type { OperationsParts } from "./parts.ts";
export { validate } from "./plan-config.ts";
export { SILENT_MS, type FarmStatus, type NodeStatus } from "./status.ts";
export type { Applied, ConfigPlan, MissingCertificate, Problem, RevisionSummary, Validation } from "./types.ts";
