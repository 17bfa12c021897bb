/** Configurations and templates for balancers of other makes, out of farm.yaml. */
import type { FarmConfig } from "../config/index.ts";
import { exportAws } from "./aws.ts";
import { exportAzure } from "./azure.ts";
import { frontOf, type Front } from "./front.ts";
import { exportHaproxy } from "./haproxy.ts";
import { exportKeepalived } from "./keepalived.ts";
import { exportNginxStream } from "./nginx-stream.ts";

/** What a configuration is written for. */
export type Product = "haproxy" | "nginx-stream" | "keepalived" | "azure" | "aws";

const EXPORTS: Readonly<Record<Product, (front: Front) => string>> = {
  haproxy: exportHaproxy,
  "nginx-stream": exportNginxStream,
  keepalived: exportKeepalived,
  azure: exportAzure,
  aws: exportAws,
};

/**
 * The configuration of another balancer in front of this farm: its checks ask the nodes' `/readyz`, and its comments say what to fill in.
 * The same farm.yaml always gives the same text. @throws EXPORT_NOT_POSSIBLE
 */
export const exportFarm = (product: Product, config: FarmConfig): string => EXPORTS[product](frontOf(config));
