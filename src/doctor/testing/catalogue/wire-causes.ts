import { certfarmNode } from "../evidence.ts";
import { RESET, served, wrong, type CellScript } from "../examination.ts";
import {
  CLOSED,
  HANGS,
  HOST,
  HTTP,
  REFUSED,
  SHOP,
  SILENT,
  SSH,
  WELL,
  alert,
  both,
  deep,
  resolving,
  second,
  through,
} from "../wire-scripts.ts";
import type { CatalogueRow } from "./catalogue-row.ts";

/** Causes that rules of tier "wire" name: what can be told from outside. */
export const WIRE_CAUSES: readonly CatalogueRow[] = [
  {
    cause: 1,
    name: "a missing central row from outside: a node resets every ClientHello, its peers serve",
    script: second({ [HOST]: { sni: RESET, "no-sni": RESET }, [SHOP]: RESET }),
    first: "node-resets-every-handshake",
    nodes: ["web2"],
  },
  {
    cause: 2,
    name: "a shadowing row from outside: a node serves one wrong certificate for every name and without one",
    script: second({ [HOST]: { sni: wrong("old.example.com"), "no-sni": served("old.example.com") }, [SHOP]: wrong("old.example.com") }),
    first: "node-serves-one-certificate",
    nodes: ["web2"],
  },
  {
    cause: 3,
    name: "no certificate for one name from outside: a node falls back to its default for it",
    script: second({ [HOST]: { sni: wrong("default"), "no-sni": served("default") }, [SHOP]: served(SHOP) }),
    first: "default-certificate-for-name",
    nodes: ["web2"],
  },
  {
    cause: 21,
    name: "no certificate for one name from outside: one node alone resets it",
    script: second({ [HOST]: RESET, [SHOP]: served(SHOP) }),
    first: "name-refused",
    nodes: ["web2"],
  },
  {
    cause: 24,
    name: "a certificate for other names from outside: every node serves it",
    script: {
      cells: {
        web1: { [HOST]: wrong("other.example.com"), [SHOP]: served(SHOP) },
        web2: { [HOST]: wrong("other.example.com"), [SHOP]: served(SHOP) },
      },
    },
    first: "wrong-certificate-for-name",
  },
  {
    cause: 38,
    name: "the certificate is right and HTTP.sys answers 404 itself",
    script: second({
      [HOST]: { sni: served(HOST), request: { status: 404, headers: { server: "Microsoft-HTTPAPI/2.0" } } },
      [SHOP]: served(SHOP),
    }),
    first: "site-stopped",
    nodes: ["web2"],
  },
  {
    cause: 38,
    name: "the certificate is right and HTTP.sys answers 503 itself",
    script: second({
      [HOST]: { sni: served(HOST), request: { status: 503, headers: { server: "Microsoft-HTTPAPI/2.0" } } },
      [SHOP]: served(SHOP),
    }),
    first: "site-stopped",
    nodes: ["web2"],
  },
  {
    cause: 38,
    name: "the certificate is right and the request dies on one node",
    script: second({ [HOST]: { sni: served(HOST), request: { problem: "closed before an answer" } }, [SHOP]: served(SHOP) }),
    first: "request-fails",
    nodes: ["web2"],
  },
  { cause: 39, name: "one node refuses connections", script: second(both(REFUSED)), first: "connection-refused", nodes: ["web2"] },
  { cause: 39, name: "one node does not answer", script: second(both(SILENT)), first: "connection-times-out", nodes: ["web2"] },
  {
    cause: 39,
    name: "no node answers",
    script: { cells: { web1: both(SILENT), web2: both(SILENT) } },
    first: "connection-times-out",
    nodes: ["web1", "web2"],
  },
  { cause: 40, name: "plain HTTP on the TLS port", script: second(both(HTTP)), first: "plain-http-on-tls-port", nodes: ["web2"] },
  {
    cause: 40,
    name: "another protocol on the TLS port",
    script: second(both(SSH)),
    first: "foreign-protocol-on-tls-port",
    nodes: ["web2"],
  },
  {
    cause: 41,
    name: "clients without SNI get nothing on one of two like nodes",
    script: deep([{ "no-sni": served("default") }, { "no-sni": RESET }]),
    first: "clients-without-sni",
    nodes: ["web2"],
  },
  {
    cause: 42,
    name: "the balancer strips SNI: through it clients get the default certificate of the nodes",
    script: through(both(wrong("default")), { [HOST]: { sni: served(HOST), "no-sni": served("default") }, [SHOP]: served(SHOP) }),
    first: "balancer-strips-sni",
    nodes: ["lb"],
  },
  {
    cause: 42,
    name: "the balancer strips SNI: through it clients get the reset that nodes give to clients without a name",
    script: through(both(RESET), { [HOST]: { sni: served(HOST), "no-sni": RESET }, [SHOP]: served(SHOP) }),
    first: "balancer-strips-sni",
    nodes: ["lb"],
  },
  {
    cause: 42,
    name: "the balancer ends TLS with a certificate that no node has",
    script: through(both(wrong("balancer.internal"))),
    first: "balancer-ends-tls",
    nodes: ["lb"],
  },
  {
    cause: 43,
    name: "the balancer keeps a dead server in rotation that was not dialled",
    script: through({ [HOST]: { sni: served(HOST), samples: [served(HOST), RESET, served(HOST), RESET] } }),
    first: "balancer-keeps-dead-node",
    nodes: ["lb"],
  },
  {
    cause: 43,
    name: "the balancer has no server left for a host that every node serves",
    script: through({ [HOST]: CLOSED, [SHOP]: served(SHOP) }),
    first: "balancer-fails",
    nodes: ["lb"],
  },
  {
    cause: 46,
    name: "one node answers clients of TLS 1.2 and 1.3 with protocol_version",
    script: second(both(alert("protocol_version"))),
    first: "tls-versions-differ",
    nodes: ["web2"],
  },
  {
    cause: 46,
    name: "one node does not speak TLS 1.2",
    script: deep([{ tls12: served(HOST) }, { tls12: alert("protocol_version") }]),
    first: "tls-versions-differ",
    nodes: ["web2"],
  },
  {
    cause: 47,
    name: "one node answers every ClientHello with handshake_failure",
    script: second(both({ sni: alert("handshake_failure"), tls12: alert("handshake_failure") })),
    first: "no-common-cipher",
    nodes: ["web2"],
  },
  {
    cause: 48,
    name: "one node has an RSA certificate alone",
    script: deep([
      { rsa: served(HOST), ecdsa: served(HOST) },
      { rsa: served(HOST), ecdsa: alert("handshake_failure") },
    ]),
    first: "key-types-differ",
    nodes: ["web2"],
  },
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
