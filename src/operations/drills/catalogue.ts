import { FarmError } from "../../base/index.ts";
import { suggest } from "../../config/index.ts";
import { DRILL_NAMES, type DrillName } from "../../node/index.ts";

/** A fault that the farm can be given on purpose. */
export interface Drill {
  readonly name: DrillName;
  readonly title: string;
  /** What happens on the node, and what clients would meet there. */
  readonly does: string;
  /** The finding that names it. */
  readonly finding: string;
  /** The node's own proof fails, so the balancer leaves it out for the host. Otherwise it serves on, and clients lose nothing. */
  readonly noticed: boolean;
  /** `repair` ends it; otherwise `drill stop` or its time does. */
  readonly repair: boolean;
}

const FACTS: Readonly<Record<DrillName, Omit<Drill, "name">>> = {
  "central-row-missing": {
    title: "A node has no central row",
    does: "The row that leads to the central certificates is out of the node's table, and the reconciler is kept from mending it: every name is refused.",
    finding: "central-row-missing",
    noticed: true,
    repair: true,
  },
  "chain-incomplete": {
    title: "A node leaves out the intermediate certificate",
    does: "The node sends its own certificate alone: clients that do not know the issuer from elsewhere refuse it.",
    finding: "intermediate-missing",
    noticed: true,
    repair: true,
  },
  "clock-skew": {
    title: "A node's clock is wrong",
    does: "The node takes it to be ten minutes later than it is, in judging certificates and in what it tells of itself.",
    finding: "clock-skew",
    noticed: false,
    repair: false,
  },
  expired: {
    title: "A node serves an expired certificate",
    does: "For the host the node shows a certificate that ended a moment ago, issued for the drill.",
    finding: "certificate-expired",
    noticed: true,
    repair: true,
  },
  "ip-row-shadows": {
    title: "A row for an address shadows all names",
    does: "A row for the node's first address answers every name with a certificate of another host, and the reconciler is kept from mending it.",
    finding: "ip-row-shadows",
    noticed: true,
    repair: true,
  },
  "node-dead": {
    title: "A node is dead",
    does: "The node's process is killed; started again it waits until the drill is over.",
    finding: "node-silent",
    noticed: true,
    repair: false,
  },
  "plain-http-on-tls-port": {
    title: "A TLS port speaks plain HTTP",
    does: "The node answers on its TLS port in the clear.",
    finding: "plain-http-on-tls-port",
    noticed: true,
    repair: true,
  },
  "proxy-protocol-mismatch": {
    title: "A node expects a PROXY header that nobody sends",
    does: "The node closes connections that do not begin with a PROXY header.",
    finding: "proxy-protocol-mismatch",
    noticed: true,
    repair: true,
  },
  "stale-certificate": {
    title: "A node does not take over a renewed certificate",
    does: "The node goes on with the host's certificate when its file is replaced. Replace the file while the drill runs: before that there is nothing to see.",
    finding: "stale-certificate",
    noticed: false,
    repair: true,
  },
  "store-gone": {
    title: "A node does not reach the store",
    does: "The folders of the store do not answer the node; it serves from its own copies.",
    finding: "store-stale",
    noticed: false,
    repair: false,
  },
  "ticket-keys-differ": {
    title: "A node has other ticket keys",
    does: "The node seals session tickets with keys of its own: clients that meet it make full handshakes.",
    finding: "ticket-keys-differ",
    noticed: false,
    repair: true,
  },
  "torn-config": {
    title: "A node cannot read the configuration",
    does: "The node finds the newest revision torn and stays with the one that it has.",
    finding: "configuration-unusable",
    noticed: false,
    repair: true,
  },
  "wildcard-depth": {
    title: "A wildcard's file stands where the host's file should",
    does: "The node sees the host's file under the name of a wildcard one level below, which does not cover the host.",
    finding: "wildcard-depth",
    noticed: true,
    repair: true,
  },
  "wrong-password": {
    title: "A node has a wrong password for the certificate files",
    does: "None of the node's passwords opens the host's file.",
    finding: "central-password-differs",
    noticed: true,
    repair: false,
  },
};

/** Every drill, by name. */
export const DRILLS: readonly Drill[] = DRILL_NAMES.map((name) => ({ name, ...FACTS[name] }));

/** @throws DRILL_UNKNOWN */
export function requireDrill(text: string): Drill {
  const found = DRILLS.find(({ name }) => name === text);
  if (found !== undefined) return found;
  const near = suggest(text, DRILL_NAMES);
  throw new FarmError(
    "DRILL_UNKNOWN",
    `there is no drill ${JSON.stringify(text.slice(0, 100))}${near === undefined ? "" : `; did you mean ${near}?`}`,
  );
}
