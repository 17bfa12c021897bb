import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { groupBy } from "../group-by.ts";
import { plural } from "../wire/groups.ts";
import { leadsToFarm, resolutions, type Resolution } from "../wire/resolution.ts";

/** A name leads to addresses that are not the farm's. */
export const dnsNamesOtherServers: Rule = {
  code: "dns-names-other-servers",
  title: "A name leads to servers that are not the farm's",
  severity: "warning",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc1034#section-3.6",
  explains:
    "The doctor's resolver gives addresses for the host that are neither nodes nor the balancer: a record of a retired server was left, an alias (CNAME) leads to another farm, or the name has other records inside than outside (split horizon).",
  remedy:
    "Look at the records: `nslookup HOST`, `dig HOST A HOST AAAA`. Take the old addresses out, or name the servers behind them with `--nodes` or `--via` so that they are looked at.",
  check: (view) => {
    const all = resolutions(view);
    if (all.length === 0) return { status: "could-not-look", why: "no name was resolved" };
    // Without any name that leads to the farm, its public address is simply not known here.
    if (view.balancers.length === 0 && !all.some(leadsToFarm))
      return { status: "could-not-look", why: "no name leads to an address that was dialled; name the balancer with `--via`" };
    const astray = all.filter(({ strange }) => strange.length > 0);
    const groups = [...groupBy(astray, ({ strange, cname }) => `${strange.join(" ")} ${cname ?? ""}`).values()];
    return groups.length === 0 ? { status: "passed" } : { status: "found", findings: groups.flatMap(draft) };
  },
};

function draft(group: readonly Resolution[]): readonly FindingDraft[] {
  const [first] = group;
  if (first === undefined) return [];
  const hosts = group.map(({ host }) => host);
  const also = leadsToFarm(first);
  return [
    {
      summary: `${nameSome(hosts)} ${plural(hosts, "leads", "lead")} ${also ? "also " : ""}to ${nameSome(first.strange)}, ${plural(first.strange, "which is no address", "which are no addresses")} of the farm`,
      nodes: [],
      hosts,
      proof: [
        { text: `resolves to ${nameSome([...first.nodes, ...first.balancers, ...first.strange], 6)}`, source: "the doctor's resolver" },
        ...(first.cname === undefined ? [] : [{ text: `by way of ${first.cname}`, source: "the doctor's resolver" }]),
      ],
      remedy: `Take ${nameSome(first.strange)} out of the records of ${nameSome(hosts)}, or name the servers there with \`--nodes\` or \`--via\`.`,
      effect: "Clients are sent to the farm alone, once their caches have run out.",
      actions: [{ do: "manual", text: `Mend the DNS records of ${nameSome(hosts)}` }],
      explains: [],
      certainty: "likely",
      decides: `whether ${nameSome(first.strange)} ${plural(first.strange, "is", "are")} meant to serve ${nameSome(hosts)}: dial ${plural(first.strange, "it", "them")} with \`--nodes\``,
    },
  ];
}
