import { formatEndpoint, ipFamily, type IpAddress } from "../base/index.ts";
import { checkNames } from "./check-sites.ts";
import type { DraftParts, Placed } from "./draft-parts.ts";
import type { ConfigPath } from "./read-yaml.ts";
import { addressesOf, boundPorts, isEveryAddress, resolveBalancer, resolveNode } from "./resolve.ts";
import type { Report } from "./report.ts";
import type { NodeDraft } from "./schema.ts";

/** Checks of the nodes and the balancer: names, addresses and ports that would be listened on twice. */
export function checkNodes(parts: DraftParts, report: Report): void {
  checkNames(parts.nodes, "nodes", report);
  const ports = boundPorts(parts.sites.map(({ value }) => value));
  const book: Book = { taken: new Map(), report };
  for (const node of parts.nodes) checkNode(node, ports, book);
  if (parts.balancer !== undefined) checkBalancer(parts, ports, book);
}

/** Who listens: by port and address, for all addresses by port, family and listener. */
type Taken = Map<string, string>;

interface Book {
  readonly taken: Taken;
  readonly report: Report;
}

interface Claim {
  readonly who: string;
  readonly what: string;
  readonly path: ConfigPath;
}

/**
 * Two listeners on one address and port. `0.0.0.0` and `::` clash with every address of the same node only: other nodes are
 * taken to be other machines unless they share an address.
 */
function claim({ taken, report }: Book, addresses: readonly IpAddress[], port: number, by: Claim): void {
  for (const address of addresses) {
    const family = `${by.who} IPv${ipFamily(address)} ${port}`;
    const [all, some] = [`${family} all`, `${family} some`];
    const everywhere = isEveryAddress(address);
    const mine = everywhere ? all : `${address} ${port}`;
    const other = taken.get(mine) ?? taken.get(everywhere ? some : all);
    if (other !== undefined) {
      report.error(by.path, `${formatEndpoint({ address, port })} is listened on twice: by ${other}, and by ${by.who} for ${by.what}`);
      return;
    }
    taken.set(mine, `${by.who} for ${by.what}`);
    if (!everywhere) taken.set(some, `${by.who} for ${by.what}`);
  }
}

function checkNode({ value: draft, index }: Placed<NodeDraft>, ports: readonly number[], book: Book): void {
  const { report } = book;
  const path = ["nodes", index] as const;
  const node = resolveNode(draft);
  checkAddressKeys(draft, path, report);
  for (const port of ports) {
    const real = node.ports.get(port) ?? port;
    const by = {
      who: `node ${node.name}`,
      what: `port ${port} of bindings`,
      path: node.ports.has(port) ? [...path, "ports", String(port)] : path,
    };
    claim(book, node.addresses, real, by);
  }
  const health = draft.health === undefined ? path : [...path, "health"];
  claim(book, [node.health.address], node.health.port, { who: `node ${node.name}`, what: "health", path: health });
  checkUnbound(node.ports, ports, [...path, "ports"], report);
}

function checkAddressKeys(
  draft: { readonly address?: unknown; readonly addresses?: readonly string[] | undefined },
  path: ConfigPath,
  report: Report,
): void {
  if (draft.address !== undefined && draft.addresses !== undefined)
    report.error([...path, "address"], "write address or addresses, not both");
  const twice = draft.addresses?.find((each, index, all) => all.indexOf(each) < index);
  if (twice !== undefined) report.error([...path, "addresses"], `the address ${twice} is named twice`);
}

function checkUnbound(ports: ReadonlyMap<number, number>, bound: readonly number[], path: ConfigPath, report: Report): void {
  for (const port of ports.keys()) if (!bound.includes(port)) report.warning([...path, String(port)], `no site binds port ${port}`);
}

function checkBalancer(parts: DraftParts, ports: readonly number[], book: Book): void {
  const { report } = book;
  const draft = parts.balancer;
  if (draft === undefined) return;
  const balancer = resolveBalancer(draft, ports);
  checkAddressKeys(draft, ["balancer"], report);
  for (const port of ports) {
    const real = balancer.ports.get(port);
    if (real === undefined) report.error(["balancer", "ports"], `port ${port} is bound by sites and missing here`);
    else claim(book, balancer.addresses, real, { who: "the balancer", what: `port ${port} of bindings`, path: ["balancer", "ports"] });
  }
  claim(book, [balancer.health.address], balancer.health.port, { who: "the balancer", what: "health", path: ["balancer", "health"] });
  checkUnbound(balancer.ports, ports, ["balancer", "ports"], report);
  if (balancer.proxyProtocol && balancer.trustedBy.length === 0) {
    report.error(
      ["balancer"],
      "say in `trustedBy` which addresses the balancer dials from: it listens on all addresses, and nodes take PROXY headers from nobody else",
    );
  }
  checkDialled(parts, report);
}

/** The balancer needs an address to dial and someone to send connections to. */
function checkDialled(parts: DraftParts, report: Report): void {
  for (const { value: node, index } of parts.nodes) {
    if (addressesOf(node).every(isEveryAddress))
      report.error(["nodes", index], `the balancer needs an address to dial: give node ${node.name} an \`address\``);
  }
  if (parts.whole && parts.nodes.every(({ value }) => value.weight === 0))
    report.error(["nodes"], "every node has weight 0: the balancer has nobody to send connections to");
}
