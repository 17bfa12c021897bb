import type { SeenCertificate } from "../observation.ts";
import type { View } from "../view.ts";
import { groupBy } from "../group-by.ts";
import type { Served } from "../wire/served.ts";
import { servedCells, type ServedCell } from "./served-cells.ts";

/** OpenSSL's codes of a chain that does not lead to a root that is trusted. */
const UNTRUSTED = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "CERT_UNTRUSTED",
  "INVALID_CA",
]);

/** What is the matter with a chain that was not trusted. */
export type ChainTrouble =
  /** The leaf signed itself. */
  | "self-signed"
  /** It leads to an issuer that others of the same farm lead to a trusted root, so a link is missing here. */
  | "incomplete"
  /** Only the leaf was sent, and nothing tells whether a link or the trust is missing. */
  | "leaf-alone"
  /** It leads to an authority that is not among the roots. */
  | "unknown-root";

/** What is wrong with the chain of a cell; undefined when it was trusted or has another trouble. */
export function chainTrouble(view: View, { served }: ServedCell): ChainTrouble | undefined {
  if (served.verified === true || !UNTRUSTED.has(served.verified)) return undefined;
  if (isSelfSigned(served)) return "self-signed";
  const last = served.chain?.at(-1);
  if (last?.selfSigned === true) return "unknown-root";
  if (isTrustedElsewhere(view, served)) return "incomplete";
  return (served.chain?.length ?? served.chainLength) < 2 ? "leaf-alone" : "unknown-root";
}

const isSelfSigned = ({ subject, issuer, chain }: Served): boolean => chain?.[0]?.selfSigned ?? subject === issuer;

const trusted = new WeakMap<View["examination"], { readonly leaves: ReadonlySet<string>; readonly issuers: ReadonlySet<string> }>();

/** Another cell shows the same leaf, or another one of the same issuer, with a chain that was trusted. */
function isTrustedElsewhere(view: View, served: Served): boolean {
  const known = trusted.get(view.examination) ?? trustedOf(view);
  trusted.set(view.examination, known);
  return known.leaves.has(served.sha256) || known.issuers.has(served.issuer);
}

function trustedOf(view: View) {
  const good = servedCells(view).filter(({ served }) => served.verified === true);
  return { leaves: new Set(good.map(({ served }) => served.sha256)), issuers: new Set(good.map(({ served }) => served.issuer)) };
}

/** Intermediates as sent, without the leaf and without a root. */
export const intermediatesOf = ({ chain = [] }: Served): readonly SeenCertificate[] =>
  chain.slice(1).filter(({ selfSigned }) => !selfSigned);

/** Cells by the leaf that they show, for leaves that several nodes show with their chains. */
export function sharedLeaves(view: View): readonly (readonly ServedCell[])[] {
  const withChain = servedCells(view).filter(({ served }) => served.chain !== undefined);
  return [...groupBy(withChain, ({ served }) => served.sha256).values()].filter(
    (cells) => new Set(cells.map(({ cell }) => cell.node)).size > 1,
  );
}
