import { partShapes, type BalancerDraft, type Draft, type NodeDraft, type SiteDraft, type TlsDraft } from "./schema.ts";

/** A part of the file and its place in the list it is in. */
export interface Placed<T> {
  readonly index: number;
  readonly value: T;
}

/** What of a farm.yaml could be read: everything, or the parts that are in order beside others that are not. */
export interface DraftParts {
  readonly nodes: readonly Placed<NodeDraft>[];
  readonly sites: readonly Placed<SiteDraft>[];
  readonly balancer?: BalancerDraft;
  readonly tls: TlsDraft;
  /** False when parts are missing: checks that need the whole must hold back. */
  readonly whole: boolean;
}

/** All parts of a draft. */
export function partsOf(draft: Draft): DraftParts {
  return {
    nodes: draft.nodes.map((value, index) => ({ index, value })),
    sites: draft.sites.map((value, index) => ({ index, value })),
    ...(draft.balancer === undefined ? {} : { balancer: draft.balancer }),
    tls: draft.tls,
    whole: true,
  };
}

/** The parts of a wrong file that are right by themselves, so that their cross-checks come in the same go. */
export function salvageParts(value: unknown): DraftParts {
  const top = typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {}; // plain data of readYaml
  const balancer = partShapes.balancer.safeParse(top["balancer"]);
  const tls = partShapes.tls.safeParse(top["tls"] ?? {});
  return {
    nodes: salvageList(top["nodes"], (each) => partShapes.node.safeParse(each)),
    sites: salvageList(top["sites"], (each) => partShapes.site.safeParse(each)),
    ...(balancer.success ? { balancer: balancer.data } : {}),
    tls: tls.success ? tls.data : {},
    whole: false,
  };
}

function salvageList<T>(list: unknown, parse: (value: unknown) => { readonly success: boolean; readonly data?: T }): readonly Placed<T>[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((each, index) => {
    const result = parse(each);
    return result.data === undefined ? [] : [{ index, value: result.data }];
  });
}
