import { relative } from "node:path";

import { toUnicodeHost, type HostPattern } from "../base/index.ts";
import { createSiteIndex, type FarmConfig } from "../config/index.ts";
import type { FarmPaths } from "./demo/make-demo-farm.ts";

/** What a person who just started a farm wants to know. */
export interface SummaryFacts {
  readonly config: FarmConfig;
  readonly paths: FarmPaths;
  readonly adminUrl: string;
  readonly hasDemoCa: boolean;
  /** Nodes that have not proved everything yet, a sentence each. */
  readonly laggards: readonly string[];
  /** What is added to `certfarm` so that the commands find this farm. */
  readonly farmOption: string;
}

const MAX_SITES = 12;

/** Where the sites are, how to trust them, and what to try next. */
export function farmSummary(facts: SummaryFacts): string {
  const { config, laggards } = facts;
  const hosts = createSiteIndex(config).httpsHosts;
  const shown = hosts.slice(0, MAX_SITES);
  const state =
    laggards.length === 0
      ? `The farm serves: every node has proved every host over TLS.`
      : `The farm runs, but not every node has proved every host:\n${laggards.map((line) => `  ✗ ${line}`).join("\n")}`;
  return [
    "",
    state,
    "",
    ...shown.map((host) => siteLines(config, host)),
    ...(hosts.length > shown.length ? [`  … and ${hosts.length - shown.length} more hosts`] : []),
    "",
    ...trustLines(facts, shown[0]),
    ...nextLines(facts, shown[0]?.host),
    "",
    `Admin API: ${facts.adminUrl}   Logs: ${shorten(facts.paths.local)}/logs/   End it with Ctrl-C.`,
    "",
  ].join("\n");
}

function siteLines(config: FarmConfig, { host, port }: { readonly host: HostPattern; readonly port: number }): string {
  const name = toUnicodeHost(sampleOf(host));
  const url = (real: number): string => `https://${name}${real === 443 ? "" : `:${real}`}/`;
  const front = config.balancer === undefined ? undefined : url(config.balancer.ports.get(port) ?? port);
  const nodes = config.nodes.slice(0, 8).map((node) => `${node.name} ${url(node.ports.get(port) ?? port)}`);
  return [`  ${host.startsWith("*.") ? `${toUnicodeHost(host)}, e.g. ` : ""}${front ?? nodes[0] ?? ""}`, `      ${nodes.join("  ")}`].join(
    "\n",
  );
}

const sampleOf = (host: HostPattern): HostPattern => (host.startsWith("*.") ? (`any${host.slice(1)}` as HostPattern) : host); // a label for the wildcard

function trustLines(
  { config, paths, hasDemoCa }: SummaryFacts,
  first: { readonly host: HostPattern; readonly port: number } | undefined,
): readonly string[] {
  if (!hasDemoCa || first === undefined) return [];
  const real = config.balancer?.ports.get(first.port) ?? config.nodes[0]?.ports.get(first.port) ?? first.port;
  const ca = shorten(paths.authority);
  return [
    `Its certificates are of a CA of its own, ${ca}: import that into a browser, or`,
    `  curl --cacert ${ca} https://${sampleOf(first.host)}:${real}/`,
    "",
  ];
}

function nextLines({ farmOption, paths, config }: SummaryFacts, host: HostPattern | undefined): readonly string[] {
  const command = `npx certfarm${farmOption}`;
  const lines: readonly (readonly [string, string])[] = [
    [`${command} status`, "nodes, revision, and what each node proved"],
    ...(host === undefined ? [] : ([[`${command} explain ${sampleOf(host)}`, "why a name gets its certificate"]] as const)),
    [`${command} certs list`, "every certificate file"],
    [`${command} bindings show --node ${config.nodes[0]?.name ?? "NODE"}`, "a node's real binding table"],
    [`${command} doctor`, "what is wrong on which node, why, and what mends it"],
    [`${command} refusals --follow`, "handshakes that got no certificate"],
    [`${command} drain ${config.nodes[1]?.name ?? config.nodes[0]?.name ?? "NODE"}`, "take a node out of rotation"],
    [`cp new.pfx ${shorten(paths.store)}/certificates/HOST.pfx`, "serve a new certificate, in under a second"],
    [`edit ${shorten(paths.store)}/config/farm.yaml`, "save it: it is checked, then every node follows"],
  ];
  const width = Math.max(...lines.map(([what]) => what.length));
  return ["Try, in another terminal:", ...lines.map(([what, why]) => `  ${what.padEnd(width)}  ${why}`)];
}

/** A path as the operator would type it from here. */
function shorten(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") || short === "" ? path : short;
}
