import { createReport, diagnose, RULES, type Diagnosis, type Examination, type Report } from "../../doctor/index.ts";
import type { LookControl } from "./look-settings.ts";

/** What was looked at, what was found, and both as a report. */
export interface Diagnosed {
  readonly examination: Examination;
  readonly diagnosis: Diagnosis;
  readonly report: Report;
}

/** Names the causes in an examination. */
export function diagnoseExamination(examination: Examination, { onProgress }: LookControl): Diagnosed {
  onProgress?.({ phase: "rules", done: 0, total: RULES.length });
  const diagnosis = diagnose(examination, RULES);
  onProgress?.({ phase: "rules", done: RULES.length, total: RULES.length });
  return { examination, diagnosis, report: createReport(examination, diagnosis) };
}
