import type { Cell } from "../examination.ts";
import type { View } from "../view.ts";

/**
 * Whether two nodes run the same server as far as is known: by their evidence, else by the Server header for the same host. Servers of
 * different makes differ in what they offer, and that is no fault.
 */
export function sameMake(view: View, a: Cell, b: Cell): boolean {
  const [first, second] = [makeByEvidence(view, a.node), makeByEvidence(view, b.node)];
  if (first !== undefined && second !== undefined) return first === second;
  const [one, other] = [product(a), product(b)];
  return one !== undefined && one === other;
}

const makeByEvidence = (view: View, node: string): string | undefined => view.nodes.find(({ name }) => name === node)?.evidence?.make;

/** `nginx` of `nginx/1.26.3`; empty when the server does not say; undefined when it was not asked. */
const product = ({ request }: Cell): string | undefined =>
  request?.status === undefined ? undefined : (/^[^/\s]*/.exec(request.headers["server"] ?? "")?.[0] ?? "").toLowerCase();
