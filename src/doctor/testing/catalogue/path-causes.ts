import { certfarmNode } from "../evidence.ts";
import { served, wrong, type CellScript } from "../examination.ts";
import { CLOSED, HANGS, HOST, HTTP, SHOP, WELL, alert, both, deep, resolving, second, through } from "../wire-scripts.ts";
import type { CatalogueRow } from "./catalogue-row.ts";

/** Causes that rules of tier "wire" name: client certificates, requests, sessions, DNS, and what stands between. */
export const PATH_CAUSES: readonly CatalogueRow[] = [
  {
    cause: 57,
    name: "a client certificate is asked for on one node: the request dies after the handshake",
    script: second({ [HOST]: { sni: served(HOST), request: { problem: "tlsv13 alert certificate required" } }, [SHOP]: served(SHOP) }),
    first: "client-certificate-required",
    nodes: ["web2"],
  },
  {
    cause: 58,
    name: "a client certificate over HTTP/2: HTTP_1_1_REQUIRED",
    script: second({ [HOST]: { sni: served(HOST), request: { problem: "stream closed: HTTP_1_1_REQUIRED" } }, [SHOP]: served(SHOP) }),
    first: "client-certificate-required",
    nodes: ["web2"],
  },
  {
    cause: 59,
    name: "one of two like nodes does not offer HTTP/2",
    script: deep([{}, { sni: served(HOST, { alpn: "http/1.1" }) }]),
    first: "alpn-differs",
    nodes: ["web2"],
  },
  {
    cause: 61,
    name: "one node expects a PROXY header",
    script: second(both({ sni: CLOSED, "proxy-header": served(HOST) })),
    first: "proxy-protocol-mismatch",
    nodes: ["web2"],
  },
  {
    cause: 61,
    name: "the balancer sends a PROXY header that no node expects",
    script: through(both(HTTP), { [HOST]: { sni: served(HOST), "no-sni": served("default") }, [SHOP]: served(SHOP) }),
    first: "proxy-protocol-mismatch",
    nodes: ["lb"],
  },
  {
    cause: 62,
    name: "one certfarm node has other ticket keys",
    script: {
      cells: { web1: WELL, web2: WELL, web3: WELL },
      evidence: {
        web1: certfarmNode([HOST, SHOP]),
        web2: certfarmNode([HOST, SHOP], { ticketKeys: { source: "report", fingerprint: "FFFF0000" } }),
        web3: certfarmNode([HOST, SHOP]),
      },
    },
    first: "ticket-keys-differ",
    nodes: ["web2"],
  },
  {
    cause: 62,
    name: "one of three like nodes does not resume sessions of the others",
    script: {
      cells: Object.fromEntries(
        ["web1", "web2", "web3"].map((node) => [
          node,
          {
            [HOST]: {
              sni: served(HOST),
              "own-session": served(HOST, { resumed: true }),
              "other-session": served(HOST, { resumed: node !== "web3" }),
              sessionFrom: node === "web1" ? "web2" : "web1",
              request: { status: 200 },
            },
          },
        ]),
      ),
    },
    first: "ticket-keys-differ",
    nodes: ["web3"],
  },
  {
    cause: 64,
    name: "one node leaves the ClientHello without an answer",
    script: second(both(HANGS)),
    first: "handshake-times-out",
    nodes: ["web2"],
  },
  {
    cause: 66,
    name: "one of two like nodes does not know the name with a dot at the end",
    script: deep([{ "trailing-dot": served(HOST) }, { "trailing-dot": alert("unrecognized_name") }]),
    first: "trailing-dot-differs",
    nodes: ["web2"],
  },
  {
    cause: 68,
    name: "a name leads to a retired server as well",
    script: { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["10.0.0.1", "10.0.0.9"], [SHOP]: ["10.0.0.1"] }) },
    first: "dns-names-other-servers",
  },
  {
    cause: 68,
    name: "a name leads to another farm by way of an alias",
    script: {
      cells: { web1: WELL, web2: WELL },
      changes: resolving({ [HOST]: ["192.0.2.7"], [SHOP]: ["10.0.0.1", "10.0.0.2"] }, "old.example.net"),
    },
    first: "dns-names-other-servers",
  },
  {
    cause: 69,
    name: "a line of the hosts file leads to the doctor's own machine",
    script: { cells: { web1: WELL, web2: WELL }, changes: resolving({ [HOST]: ["127.0.0.1"], [SHOP]: ["10.0.0.1", "10.0.0.2"] }) },
    first: "hosts-file-override",
  },
  {
    cause: 70,
    name: "one address answers with two certificates in turn",
    script: second({
      [HOST]: { sni: served(HOST), samples: [wrong("other"), served(HOST), wrong("other"), served(HOST)] },
      [SHOP]: served(SHOP),
    }),
    first: "address-of-two-machines",
    nodes: ["web2"],
  },
  {
    cause: 71,
    name: "a device on the way opens TLS",
    script: { cells: { web1: inspected(), web2: inspected() } },
    first: "tls-interception",
  },
];

function inspected(): Readonly<Record<string, CellScript>> {
  const signed = { issuer: "CN=FortiGate CA,O=Fortinet", verified: "SELF_SIGNED_CERT_IN_CHAIN" };
  return { [HOST]: served(HOST, signed), [SHOP]: served(SHOP, signed) };
}
