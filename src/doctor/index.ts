/** Names causes: what was observed and what nodes say of themselves, rules over it, findings with their proof. */
export { diagnose } from "./diagnose.ts";
export type {
  BindingsEvidence,
  CentralEvidence,
  CentralFile,
  ClockEvidence,
  ConfigurationEvidence,
  EventEvidence,
  EvidenceBinding,
  EvidencePart,
  EvidenceRow,
  EvidenceRowKey,
  Gap,
  InstalledCertificate,
  ListenerEvidence,
  NodeEvidence,
  Source,
  StoreEvidence,
  SystemEvidence,
  TableEvidence,
} from "./evidence.ts";
export type { Cell, ExaminedHost, ExaminedNode, Examination, ProbeKind } from "./examination.ts";
export type {
  CellRef,
  Diagnosis,
  Finding,
  Proof,
  RepairAction,
  ResyncPart,
  RuleOutcome,
  Severity,
  Symptom,
  SymptomKind,
} from "./finding.ts";
export type { Observation, ProbeOutcome, RequestObservation, SeenCertificate } from "./observation.ts";
export { planRepair, type NodeRepair, type RepairPlan, type RepairStep, type StepAction } from "./plan-repair.ts";
export type { Rule } from "./rule.ts";
export { createReport, type Report, type ReportCell, type ReportNode } from "./report.ts";
export { RULES } from "./rules/index.ts";
export { describeOutcome } from "./symptoms.ts";
