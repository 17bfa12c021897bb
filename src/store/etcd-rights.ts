/** A right of one role in etcd, on keys below the farm's prefix. */
export interface EtcdRight {
  readonly role: string;
  readonly kind: "read" | "readwrite";
  /** A key, or the beginning of many when it ends in `/`. */
  readonly keys: string;
}

/** Whose users etcd gets. */
export interface EtcdMembers {
  readonly nodes: readonly string[];
  readonly hasBalancer: boolean;
}

/** What every process reads: that the prefix is the farm's, whom the farm trusts, and its configuration. */
const EVERYBODY = ["meta/", "keys/identity/trust/", "keys/revisions/", "keys/config-head/", "keys/drains/"];
/** What a node reads besides: what it serves. Private keys, passwords and ticket keys are sealed there. */
const NODES = ["files/certificates/", "keys/content/", "keys/tickets/", "keys/passwords/", "keys/secrets/keyring"];

/** What a node writes: what it says of itself, its answers, that it took a request, and the mark that each removal leaves. */
const ofNode = (node: string): readonly string[] => [
  `keys/nodes/${node}`,
  `keys/requests/${node}/`,
  `keys/answers/${node}/`,
  `keys/secrets/holders/${node}`,
  "keys/self-test/",
  "meta/removal",
];

/** The name of a node's user and role. */
export const etcdNodeRole = (node: string): string => `certfarm-node-${node}`;
const BALANCER_ROLE = "certfarm-balancer";
const ADMIN_ROLE = "certfarm-admin";

/**
 * The rights that each process of a farm with identities needs in etcd, and no others: a node can write nothing in another's name, and no
 * configuration. In a farm without identities nodes do more than that (src/replica/duties.ts).
 */
export function etcdRights({ nodes, hasBalancer }: EtcdMembers): readonly EtcdRight[] {
  const reading = (role: string, keys: readonly string[]): EtcdRight[] => keys.map((key) => ({ role, kind: "read", keys: key }));
  return [
    { role: ADMIN_ROLE, kind: "readwrite", keys: "" },
    ...nodes.flatMap((node): EtcdRight[] => {
      const role = etcdNodeRole(node);
      return [...reading(role, [...EVERYBODY, ...NODES]), ...ofNode(node).map((keys) => ({ role, kind: "readwrite" as const, keys }))];
    }),
    ...(hasBalancer ? reading(BALANCER_ROLE, EVERYBODY) : []),
  ];
}

/** The end of a range in etcd: the first key behind all that begin so. Absent for a single key. */
export const rangeEndOf = (keys: string): string | undefined => (keys === "" || keys.endsWith("/") ? `${keys.slice(0, -1)}0` : undefined);

/**
 * A shell script that gives etcd these users and rights: with PREFIX (of the store's address) and what etcdctl needs in the environment. It asks
 * for each user's password on the terminal, so that none is in an argument.
 */
export function etcdRightsScript(members: EtcdMembers): string {
  const rights = etcdRights(members);
  const roles = [...new Set(rights.map(({ role }) => role))];
  const making = roles.flatMap((role) => [
    `etcdctl user add ${role}`,
    `etcdctl role add ${role}`,
    `etcdctl user grant-role ${role} ${role}`,
  ]);
  return [
    "#!/bin/sh",
    "# Users of etcd for a farm with identities: each may write its own keys only. Needs a user `root` with the role `root`, and then",
    "# `etcdctl auth enable`. ETCDCTL_ENDPOINTS, ETCDCTL_CACERT and ETCDCTL_USER say where etcd is and who you are.",
    "set -eu",
    "export ETCDCTL_API=3",
    "PREFIX=${PREFIX:-certfarm}",
    ...making,
    ...rights.map(grantLine),
    "",
  ].join("\n");
}

function grantLine({ role, kind, keys }: EtcdRight): string {
  const end = keys === "" ? "${PREFIX}0" : rangeEndOf(keys);
  const range = end === undefined ? "" : ` "${keys === "" ? end : `$PREFIX/${end}`}"`;
  return `etcdctl role grant-permission ${role} ${kind} "$PREFIX/${keys}"${range}`;
}
