import type { Cell } from "../examination.ts";
import type { ProbeOutcome } from "../observation.ts";
import type { EndpointFacts } from "./endpoint-facts.ts";
import { flips } from "./flips.ts";
import { covers, outcomeOf, type Served } from "./served.ts";

/** What the wire alone says of one ill cell of a node: the code of the one rule that speaks for it. */
export type WireCause =
  | "connection-refused"
  | "connection-times-out"
  | "node-fails-sometimes"
  | "address-of-two-machines"
  | "handshake-times-out"
  | "plain-http-on-tls-port"
  | "foreign-protocol-on-tls-port"
  | "proxy-protocol-mismatch"
  | "tls-versions-differ"
  | "no-common-cipher"
  | "client-certificate-required"
  | "alpn-differs"
  | "node-resets-every-handshake"
  | "name-refused"
  | "node-serves-one-certificate"
  | "default-certificate-for-name"
  | "wrong-certificate-for-name"
  | "site-stopped"
  | "request-fails"
  | "balancer-strips-sni"
  | "balancer-ends-tls"
  | "balancer-fails";

/** The cause of an ill cell, or undefined when the wire does not tell or other rules know better. */
export function causeOf(cell: Cell, facts: EndpointFacts): WireCause | undefined {
  const outcome = outcomeOf(cell);
  if (outcome === undefined) return undefined;
  if (flips(cell)) return "address-of-two-machines";
  if (outcome.kind === "served") return servedCause(cell, outcome, facts);
  const connection = connectionCause(outcome);
  if (connection !== undefined) return facts.connects || sometimesServed(cell) ? "node-fails-sometimes" : connection;
  return sometimesServed(cell) ? "node-fails-sometimes" : handshakeCause(outcome, facts);
}

/** A connection that does not come about. */
export function connectionCause(outcome: ProbeOutcome): "connection-refused" | "connection-times-out" | undefined {
  if (outcome.kind === "refused") return "connection-refused";
  return outcome.kind === "timeout" && outcome.during === "connect" ? "connection-times-out" : undefined;
}

const sometimesServed = ({ samples = [] }: Cell): boolean => samples.some(({ outcome }) => outcome.kind === "served");

function handshakeCause(outcome: ProbeOutcome, facts: EndpointFacts): WireCause | undefined {
  const rescued = rescuedCause(facts);
  if (rescued !== undefined) return rescued;
  switch (outcome.kind) {
    case "timeout":
      return "handshake-times-out";
    case "reset":
    case "closed":
      return facts.serves ? "name-refused" : "node-resets-every-handshake";
    case "alert":
      return alertCause(outcome.alert, facts.serves);
    case "error":
      return errorCause(outcome);
    default:
      return undefined;
  }
}

/** Another kind of client gets through where the usual one does not: what sets it apart is the cause. */
function rescuedCause({ rescues, serves }: EndpointFacts): WireCause | undefined {
  if (!serves && rescues.has("proxy-header")) return "proxy-protocol-mismatch";
  if (rescues.has("tls12") || rescues.has("tls13")) return "tls-versions-differ";
  return rescues.has("http11") || rescues.has("h2") ? "alpn-differs" : undefined;
}

const CLIENT_CERTIFICATE = new Set(["certificate_required", "no_certificate", "bad_certificate"]);
const CIPHER = new Set(["handshake_failure", "insufficient_security"]);

function alertCause(alert: string, serves: boolean): WireCause {
  if (alert === "protocol_version" || alert === "inappropriate_fallback") return "tls-versions-differ";
  if (alert === "no_application_protocol") return "alpn-differs";
  if (CLIENT_CERTIFICATE.has(alert)) return "client-certificate-required";
  return CIPHER.has(alert) && !serves ? "no-common-cipher" : "name-refused";
}

/** What OpenSSL says of a server that offers less than a client of today takes. */
const WEAK =
  /DH_KEY_TOO_SMALL|EE_KEY_TOO_SMALL|WRONG_(?:CURVE|SIGNATURE_TYPE|CIPHER_RETURNED)|NO_SUITABLE|UNKNOWN_CIPHER_RETURNED|BAD_ECPOINT/;
/** What it says of an answer that is not TLS. */
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE|INVALID_PACKET_TYPE|UNEXPECTED_MESSAGE/;

function errorCause({ code, speaks }: Extract<ProbeOutcome, { kind: "error" }>): WireCause | undefined {
  if (speaks === "http" || code === "ERR_SSL_HTTP_REQUEST") return "plain-http-on-tls-port";
  if (code === "ERR_SSL_UNSUPPORTED_PROTOCOL") return "tls-versions-differ";
  if (speaks === "other" || NOT_TLS.test(code)) return "foreign-protocol-on-tls-port";
  return WEAK.test(code) ? "no-common-cipher" : undefined;
}

function servedCause(cell: Cell, served: Served, facts: EndpointFacts): WireCause | undefined {
  if (!covers(served, cell.host)) return wrongCertificateCause(served, facts);
  if (served.verified !== true && served.verified !== "NOT_CHECKED") return undefined;
  return isBroken(outcomeOf(cell, "http11")) ? "node-fails-sometimes" : requestCause(cell);
}

/**
 * One certificate for everything shadows all others when it is wrong for two hosts or right for none. When it is right for one host and
 * wrong for another, it is more likely what the server falls back to.
 */
function wrongCertificateCause({ sha256 }: Served, { leaves, rightLeaves, defaults, right, wrong }: EndpointFacts): WireCause {
  const onlyOne = leaves.size === 1 && [...defaults].every((one) => one === sha256);
  const tried = right + wrong > 1 || defaults.size > 0;
  if (onlyOne && tried && (wrong > 1 || right === 0)) return "node-serves-one-certificate";
  return defaults.has(sha256) || rightLeaves.has(sha256) ? "default-certificate-for-name" : "wrong-certificate-for-name";
}

/** The connection for the request failed, although the one before was served. */
const isBroken = (outcome: ProbeOutcome | undefined): boolean =>
  outcome !== undefined && ["refused", "timeout", "reset", "closed"].includes(outcome.kind);

/** A server that wants a client certificate says so only after the handshake of TLS 1.3; HTTP/2 has a code of its own for it. */
const WANTS_CERTIFICATE = /certificate.required|bad.certificate|HTTP_1_1_REQUIRED/i;

function requestCause({ request }: Cell): WireCause | undefined {
  if (request === undefined) return undefined;
  if (request.status === undefined) return WANTS_CERTIFICATE.test(request.problem ?? "") ? "client-certificate-required" : "request-fails";
  if (request.status < 500) return undefined;
  return isHttpApi(request.headers["server"]) ? "site-stopped" : "request-fails";
}

/** HTTP.sys answers in its own name when no worker process takes the request. */
export const isHttpApi = (server: string | undefined): boolean => server?.startsWith("Microsoft-HTTPAPI/") === true;
