import { patternCovers, type Clock, type HostName, type HostPattern, type IpAddress } from "../base/index.ts";
import type { Observation } from "../doctor/index.ts";
import type { HostProof } from "../replica/index.ts";
import type { WantedListener } from "./listeners.ts";
import { dialAddress, type ProofTarget } from "./proof-target.ts";
import type { FinalDecision, Selector, ServingState } from "./selection.ts";

/** What proving works with. */
export interface ProvingParts {
  readonly clock: Clock;
  readonly state: () => ServingState;
  readonly selector: Selector;
  readonly listeners: () => readonly WantedListener[];
  /** How many certificates a file has to send; undefined = not known. */
  readonly chainLength: (file: string) => number | undefined;
  readonly dial: (target: { readonly address: IpAddress; readonly port: number }, host: HostName) => Promise<Observation>;
}

/** A node with more addresses proves these many of them each time. */
const MAX_ADDRESSES = 4;

/** What selection says of a target at this moment, as text; `need` while files are unread. */
export function selectionPrint(parts: ProvingParts, target: ProofTarget): string {
  const listener = parts.listeners().find((one) => one.bindingPort === target.port);
  if (listener === undefined) return "no listener";
  const decision = parts.selector.now(questionOf(target, dialAddress(listener.address)));
  if (decision.kind === "need") return "need";
  if (decision.kind === "refuse") return `refuse ${decision.reason}`;
  return decision.certificates.map((certificate) => certificate.thumbprint).join(",");
}

/** Dials every listener of the target's port and compares what is served with what selection says. */
export async function proveTarget(parts: ProvingParts, target: ProofTarget): Promise<HostProof> {
  const base = { host: target.shown, port: target.port, at: parts.clock.now() };
  const listeners = parts.listeners().filter((one) => one.bindingPort === target.port && one.protocol === "https");
  if (listeners.length === 0)
    return { ...base, verdict: "failed", reason: "no-answer", problem: `nothing listens for port ${target.port}` };
  let thumbprint: string | undefined;
  for (const listener of listeners.slice(0, MAX_ADDRESSES)) {
    const address = dialAddress(listener.address);
    const decision = await parts.selector.settled(questionOf(target, address));
    if (decision.kind === "refuse") {
      return { ...base, verdict: "failed", reason: decision.reason, problem: decision.trail.at(-1)?.because ?? decision.reason };
    }
    const observation = await parts.dial({ address, port: listener.port }, target.host);
    const fault = judgeObservation(parts, target, decision, observation);
    if (fault !== undefined) return { ...base, verdict: "failed", ...fault };
    if (observation.outcome.kind === "served") thumbprint = observation.outcome.thumbprint;
  }
  return { ...base, verdict: "proved", ...(thumbprint === undefined ? {} : { thumbprint }) };
}

const questionOf = (target: ProofTarget, address: IpAddress) =>
  ({ serverName: { kind: "name", host: target.host }, address, port: target.port }) as const;

type Fault = Pick<HostProof, "reason" | "problem" | "thumbprint">;

/** What is wrong with what was served, if anything. */
function judgeObservation(
  parts: ProvingParts,
  target: ProofTarget,
  decision: Extract<FinalDecision, { kind: "serve" }>,
  seen: Observation,
): Fault | undefined {
  const { outcome } = seen;
  if (outcome.kind !== "served") {
    if (outcome.kind === "alert" && isMissedCertificate(outcome.alert, parts, target)) return undefined;
    const ended = outcome.kind === "alert" ? `the alert ${outcome.alert}` : outcome.kind;
    return { reason: "no-answer", problem: `the node's own handshake ended in ${ended}` };
  }
  const { thumbprint } = outcome;
  const wrong = (problem: string): Fault => ({ reason: "wrong-certificate", thumbprint, problem });
  const expected = decision.certificates.map((certificate) => certificate.thumbprint);
  const chosen = decision.certificates.find((certificate) => certificate.thumbprint === thumbprint);
  if (chosen === undefined) return wrong(`served ${thumbprint}, selection says ${expected.join(" or ")}`);
  if (!outcome.dnsNames.some((name) => patternCovers(name as HostPattern, target.host))) {
    // names of a parsed certificate
    return wrong(`the certificate served is for ${outcome.dnsNames.slice(0, 3).join(", ") || outcome.subject}, not for ${target.shown}`);
  }
  const length = parts.chainLength(chosen.file);
  if (length !== undefined && outcome.chainLength < length)
    return wrong(`${outcome.chainLength} of the ${length} certificates in ${chosen.file} are sent`);
  const now = parts.clock.now();
  if (outcome.notAfter <= now) return wrong(`the certificate expired on ${new Date(outcome.notAfter).toISOString()}`);
  if (outcome.notBefore > now) return wrong(`the certificate is not valid before ${new Date(outcome.notBefore).toISOString()}`);
  return undefined;
}

/** What a server says to a client without the certificate it demands (RFC 8446 section 6.2; TLS 1.2 has no alert of its own for it). */
const MISSED_CERTIFICATE: ReadonlySet<string> = new Set(["certificate_required", "bad_certificate", "handshake_failure"]);

/**
 * A site that demands a client certificate ends the proof's handshake after it showed its own: that is its proof. Any other alert is a
 * fault there as everywhere: a site whose authorities cannot be read serves nobody.
 */
function isMissedCertificate(alert: string, parts: ProvingParts, target: ProofTarget): boolean {
  const { sites, config } = parts.state();
  const policy = sites?.find("https", target.port, target.host)?.tls ?? config?.tls;
  return policy?.clientCertificates === "require" && MISSED_CERTIFICATE.has(alert);
}
