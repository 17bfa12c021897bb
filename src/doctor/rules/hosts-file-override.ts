import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { plural } from "../wire/groups.ts";
import { resolutions } from "../wire/resolution.ts";

/** The machine that asks answers itself. */
export const hostsFileOverride: Rule = {
  code: "hosts-file-override",
  title: "A name leads to the machine that asks",
  severity: "warning",
  tier: "wire",
  source: "https://datatracker.ietf.org/doc/html/rfc6761#section-6.3",
  explains:
    "On the machine of the doctor the host resolves to a loopback address, and no node is there: most likely a line of its hosts file. Where that machine is a node or a proxy, its own requests to the host go astray, " +
    "and what a browser on it shows says nothing about the farm.",
  remedy:
    "Look at `%SystemRoot%\\System32\\drivers\\etc\\hosts` or `/etc/hosts`, and take the line out. Records in DNS that name 127.0.0.1 are as wrong.",
  check: (view) => {
    const all = resolutions(view);
    if (all.length === 0) return { status: "could-not-look", why: "no name was resolved" };
    const own = all.filter(({ loopback }) => loopback.length > 0);
    if (own.length === 0) return { status: "passed" };
    const hosts = own.map(({ host }) => host);
    const addresses = [...new Set(own.flatMap(({ loopback }) => loopback))];
    const finding = {
      summary: `${nameSome(hosts)} ${plural(hosts, "resolves", "resolve")} to ${nameSome(addresses)} on the machine of the doctor`,
      nodes: [],
      hosts,
      proof: [{ text: `${hosts[0] ?? ""} resolves to ${nameSome(addresses)}`, source: "the doctor's resolver" }] as const,
      remedy: `Take ${nameSome(hosts)} out of the hosts file of that machine.`,
      effect: "Requests from that machine go where everybody's go.",
      actions: [{ do: "manual" as const, text: `Take ${nameSome(hosts)} out of the hosts file of the machine that the doctor runs on` }],
      explains: [],
      certainty: "likely" as const,
      others: ["dns-names-other-servers"],
      decides: `\`nslookup ${hosts[0] ?? "HOST"}\`, which asks DNS and not the hosts file`,
    };
    return { status: "found", findings: [finding] };
  },
};
