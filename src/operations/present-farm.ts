import { FarmError } from "../base/index.ts";
import { suggest, type FarmConfig } from "../config/index.ts";
import { parseFarmConfig } from "../config/parse-farm-config.ts";
import { createReports, createRevisions, type AgedReport, type Reports, type Revision, type Revisions } from "../replica/index.ts";
import type { OperationsParts } from "./parts.ts";

/** The latest revision and what it says. `config` is absent for a farm without revisions, or one that this version cannot read. */
export interface PresentFarm {
  readonly latest?: Revision;
  readonly config?: FarmConfig;
}

/** What the farm is at the moment. */
export interface FarmView {
  readonly revisions: Revisions;
  readonly reports: Reports;
  present(): Promise<PresentFarm>;
  /** Names of the nodes of the configuration, in its order, then of others that report. */
  nodes(): Promise<readonly string[]>;
  /** The node itself, or every node when no name is given. @throws NODE_UNKNOWN */
  chosen(node: string | undefined): Promise<readonly string[]>;
}

/** A view of the farm; the parsed configuration of the latest revision is kept. */
export function createFarmView({ store, clock, log, signing }: OperationsParts): FarmView {
  const revisions = createRevisions(store, { clock, log, signing });
  const reports = createReports(store, { clock, log, signing });
  let known: PresentFarm = {};

  async function present(): Promise<PresentFarm> {
    const latest = await revisions.latest();
    if (latest === undefined) return {};
    if (known.latest?.digest === latest.digest && known.latest.number === latest.number) return known;
    const reading = parseFarmConfig(latest.yaml);
    known = reading.kind === "valid" ? { latest, config: reading.config } : { latest };
    return known;
  }

  async function nodes(): Promise<readonly string[]> {
    const [{ config }, reported] = await Promise.all([present(), reports.all()]);
    return nodeNames(config, reported);
  }

  return {
    revisions,
    reports,
    present,
    nodes,
    async chosen(node) {
      const all = await nodes();
      if (node === undefined) return all;
      if (!all.includes(node)) throw unknownNode(node, all);
      return [node];
    },
  };
}

/** Nodes of the configuration, then others that report. */
export function nodeNames(config: FarmConfig | undefined, reported: readonly AgedReport[]): readonly string[] {
  return [...new Set([...(config?.nodes.map(({ name }) => name) ?? []), ...reported.map(({ report }) => report.node)])];
}

function unknownNode(node: string, all: readonly string[]): FarmError {
  const near = suggest(node, all);
  const shown = all.length === 0 ? "it has none yet" : `it has ${all.slice(0, 20).join(", ")}${all.length > 20 ? ", …" : ""}`;
  const meant = near === undefined ? "" : `; did you mean ${near}?`;
  return new FarmError("NODE_UNKNOWN", `the farm has no node ${JSON.stringify(node.slice(0, 100))}: ${shown}${meant}`, {
    facts: { node: node.slice(0, 100), nodes: all.slice(0, 20), ...(near === undefined ? {} : { suggestion: near }) },
  });
}
