import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { groupBy } from "../group-by.ts";
import { plural } from "../wire/groups.ts";
import { leadsToFarm, resolutions } from "../wire/resolution.ts";

/** A name of the farm leads nowhere. */
export const dnsDoesNotResolve: Rule = {
  code: "dns-does-not-resolve",
  title: "A name does not resolve",
  severity: "warning",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc2308",
  explains:
    "Other names of the farm resolve and this one does not: its record is missing or misspelt, or the zone's servers do not answer. Clients never come as far as the handshake.",
  remedy: "Ask the zone's own servers: `nslookup HOST NAMESERVER`, `dig +trace HOST`. Add the record.",
  check: (view) => {
    const all = resolutions(view);
    if (all.length === 0) return { status: "could-not-look", why: "no name was resolved" };
    if (!all.some(leadsToFarm)) return { status: "not-applicable", why: "no name leads to the farm from here" };
    const asked = new Map(view.examination.hosts.map(({ name, resolved }) => [name, resolved?.addresses.length ?? 0]));
    const lost = all.filter(({ host, problem }) => problem !== undefined && asked.get(host) === 0);
    const findings = [...groupBy(lost, ({ problem }) => problem ?? "").entries()].map(([problem, group]) => {
      const hosts = group.map(({ host }) => host);
      return {
        summary: `${nameSome(hosts)} ${plural(hosts, "does", "do")} not resolve: ${problem}`,
        nodes: [],
        hosts,
        proof: [{ text: problem, source: "the doctor's resolver" }] as const,
        remedy: `Add the DNS record of ${nameSome(hosts)}.`,
        effect: `Clients find ${nameSome(hosts)}, once their caches have run out.`,
        actions: [{ do: "manual" as const, text: `Add the DNS record of ${nameSome(hosts)}` }],
        explains: [],
        certainty: "certain" as const,
      };
    });
    return findings.length === 0 ? { status: "passed" } : { status: "found", findings };
  },
};
