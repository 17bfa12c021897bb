import { FarmError } from "../base/index.ts";
import { formatProblems, type FarmConfig } from "../config/index.ts";
import { parseFarmConfig } from "../config/parse-farm-config.ts";
import { exportFarm, type Product } from "../export/index.ts";
import { etcdRightsScript } from "../store/index.ts";

/** The configuration of another balancer, or the rights in etcd, for the farm of a farm.yaml. @throws CONFIG_INVALID, EXPORT_NOT_POSSIBLE */
export function exportBalancer(product: Product | "etcd-roles", yaml: string, name = "farm.yaml"): string {
  const reading = parseFarmConfig(yaml);
  if (reading.kind === "valid") return product === "etcd-roles" ? rightsOf(reading.config) : exportFarm(product, reading.config);
  throw new FarmError("CONFIG_INVALID", `${name} is not valid:\n${formatProblems(name, reading.problems, yaml)}`, {
    facts: { file: name },
  });
}

const rightsOf = ({ nodes, balancer }: FarmConfig): string =>
  etcdRightsScript({ nodes: nodes.map(({ name }) => name), hasBalancer: balancer !== undefined });
