import { ipFamily, type HostName, type IpAddress } from "../../base/index.ts";
import type { View } from "../view.ts";

/** Where a name leads, held against the addresses of the farm. */
export interface Resolution {
  readonly host: HostName;
  readonly cname?: string;
  readonly problem?: string;
  /** Addresses of nodes that were dialled, and of balancers. */
  readonly nodes: readonly IpAddress[];
  readonly balancers: readonly IpAddress[];
  /** This very machine, where no node is. */
  readonly loopback: readonly IpAddress[];
  /** None of the farm's. Addresses of a family in which the farm has none are left out: nobody named them. */
  readonly strange: readonly IpAddress[];
}

/** Where every host that was asked about leads. */
export function resolutions(view: View): readonly Resolution[] {
  const nodes = addressesOf(view.nodes);
  const balancers = addressesOf(view.balancers);
  const farm = [...nodes, ...balancers];
  const families = new Set(farm.map(ipFamily));
  const local = farm.some(isLoopback);
  return view.examination.hosts.flatMap(({ name, resolved }) => {
    if (resolved === undefined) return [];
    const { addresses, cname, problem } = resolved;
    const outside = addresses.filter((address) => !nodes.has(address) && !balancers.has(address));
    return [
      {
        host: name,
        ...(cname === undefined ? {} : { cname }),
        ...(problem === undefined ? {} : { problem }),
        nodes: addresses.filter((address) => nodes.has(address)),
        balancers: addresses.filter((address) => balancers.has(address)),
        loopback: local ? [] : outside.filter(isLoopback),
        strange: outside.filter((address) => !isLoopback(address) && families.has(ipFamily(address))),
      },
    ];
  });
}

/** Where some name leads to the farm, one that leads elsewhere stands out. */
export const leadsToFarm = ({ nodes, balancers }: Resolution): boolean => nodes.length > 0 || balancers.length > 0;

const isLoopback = (address: IpAddress): boolean => address === "::1" || address.startsWith("127.");

/** Loopback addresses of a machine with others are not how clients reach it. */
function addressesOf(nodes: View["nodes"]): ReadonlySet<IpAddress> {
  const own = nodes.flatMap(({ endpoints, evidence }) => [
    ...endpoints.map(({ address }) => address),
    ...(evidence?.addresses ?? []).filter((address) => !isLoopback(address)),
  ]);
  return new Set(own);
}
