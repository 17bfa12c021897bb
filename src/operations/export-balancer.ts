import { FarmError } from "../base/index.ts";
import { formatProblems } from "../config/index.ts";
import { parseFarmConfig } from "../config/parse-farm-config.ts";
import { exportFarm, type Product } from "../export/index.ts";

/** The configuration of another balancer for the farm of a farm.yaml. @throws CONFIG_INVALID, EXPORT_NOT_POSSIBLE */
export function exportBalancer(product: Product, yaml: string, name = "farm.yaml"): string {
  const reading = parseFarmConfig(yaml);
  if (reading.kind === "valid") return exportFarm(product, reading.config);
  throw new FarmError("CONFIG_INVALID", `${name} is not valid:\n${formatProblems(name, reading.problems, yaml)}`, {
    facts: { file: name },
  });
}
