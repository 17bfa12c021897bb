import type { InstalledCertificate } from "../evidence.ts";
import type { FindingDraft } from "../finding.ts";
import { nameSome } from "../name-some.ts";
import type { Rule } from "../rule.ts";
import { shorten } from "../shorten.ts";

/** Schannel drops client certificates when the root store holds what is no root. */
export const intermediateInRootStore: Rule = {
  code: "intermediate-in-root-store",
  title: "The root store of a server holds a certificate that is no root",
  severity: "warning",
  tier: "host",
  source:
    "https://learn.microsoft.com/en-us/troubleshoot/developer/webapps/iis/www-authentication-authorization/errors-403-7-reject-client-certificate-rquest",
  explains:
    "A certificate in `Trusted Root Certification Authorities` that did not sign itself makes Schannel on Windows Server 2012 and later refuse client certificates (403.16), and leads to other chains than on the other servers.",
  remedy:
    "Move it to `Intermediate Certification Authorities` on that server: `certutil -addstore CA FILE`, then `certutil -delstore Root SERIAL`.",
  check(view) {
    const looked = view.having("certificates").flatMap(({ node, part }) => {
      const roots = part.filter(({ store }) => store.toLowerCase() === "root");
      return roots.length === 0 ? [] : [{ node: node.name, wrong: roots.filter(({ subject, issuer }) => subject !== issuer) }];
    });
    if (looked.length === 0) return { status: "could-not-look", why: "the root stores of the servers were not collected" };
    const findings = looked.filter(({ wrong }) => wrong.length > 0).map(({ node, wrong }) => draft(node, wrong));
    return findings.length === 0 ? { status: "passed" } : { status: "found", findings };
  },
};

function draft(node: string, wrong: readonly InstalledCertificate[]): FindingDraft {
  const [first] = wrong;
  return {
    summary: `${node} has ${nameSome(wrong.map(({ subject }) => shorten(subject)))} among its roots, which did not sign ${wrong.length === 1 ? "itself" : "themselves"}`,
    nodes: [node],
    hosts: [],
    proof: [{ text: `${shorten(first?.subject ?? "")} was issued by ${shorten(first?.issuer ?? "")}`, source: first?.source ?? "" }],
    remedy: `Move ${wrong.length === 1 ? "it" : "them"} to the intermediate store on ${node}.`,
    effect: "Client certificates are accepted again, and chains are built as on other servers.",
    actions: wrong.slice(0, 5).map(({ thumbprint }) => ({
      do: "manual",
      node,
      text: `Move-Item Cert:\\LocalMachine\\Root\\${thumbprint} Cert:\\LocalMachine\\CA`,
    })),
    explains: [],
    certainty: "certain",
  };
}
