import { RESET, served, wrong } from "../examination.ts";
import { CLOSED, HOST, HTTP, REFUSED, SHOP, SILENT, SSH, alert, both, deep, second, through } from "../wire-scripts.ts";
import type { CatalogueRow } from "./catalogue-row.ts";

/** Causes that rules of tier "wire" name: connections, handshakes, offers and balancers. */
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
];
