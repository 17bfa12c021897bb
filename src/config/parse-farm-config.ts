import { checkBindings } from "./check-bindings.ts";
import { checkNodes } from "./check-nodes.ts";
import { checkServices } from "./check-services.ts";
import { checkSites } from "./check-sites.ts";
import { checkTls } from "./check-tls.ts";
import { partsOf, salvageParts, type DraftParts } from "./draft-parts.ts";
import { readYaml } from "./read-yaml.ts";
import { createReport, inOrder, type Report } from "./report.ts";
import { resolveFarm } from "./resolve.ts";
import { farmShape } from "./schema.ts";
import { shapeMessage, shapeProblems } from "./shape-problems.ts";
import type { ConfigReading } from "./types.ts";

/**
 * Reads farm.yaml: the configuration with every default filled in and warnings, or all problems at once (the first 1,000, in the
 * order of the text; warnings among them). Never throws; at most 4 MiB of text.
 */
export function parseFarmConfig(yamlText: string): ConfigReading {
  const yaml = readYaml(yamlText);
  if (yaml.value === undefined) return { kind: "invalid", problems: inOrder(yaml.problems) };
  const shape = farmShape.safeParse(yaml.value, { error: shapeMessage });
  const parts = shape.success ? partsOf(shape.data) : salvageParts(yaml.value);
  const report = createReport(yaml);
  check(parts, report);
  const shapeErrors = shape.success ? [] : shapeProblems(shape.error.issues, yaml);
  const problems = inOrder([...yaml.problems, ...shapeErrors, ...report.problems]);
  if (!shape.success || problems.some((each) => each.severity === "error")) return { kind: "invalid", problems };
  return { kind: "valid", config: resolveFarm(shape.data, parts), warnings: problems };
}

function check(parts: DraftParts, report: Report): void {
  checkNodes(parts, report);
  checkSites(parts, report);
  checkBindings(parts, report);
  checkTls(parts, report);
  checkServices(parts, report);
}
