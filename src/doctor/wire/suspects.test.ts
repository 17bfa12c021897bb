import { describe, expect, test } from "vitest";

import { diagnose } from "../diagnose.ts";
import { RULES } from "../rules/index.ts";
import { centralRow, certfarmNode, iisNode, installed, ipRow, table } from "../testing/evidence.ts";
import { PATH_CAUSES } from "../testing/catalogue/path-causes.ts";
import { WIRE_CAUSES } from "../testing/catalogue/wire-causes.ts";
import { codesOf, examine, RESET, served, wrong, type CellScript, type Script } from "../testing/examination.ts";
import { alert, both, CLOSED, HANGS, HOST, HTTP, REFUSED, second, SHOP, SILENT, SSH, through, WELL } from "../testing/wire-scripts.ts";

/** What every rule together says of a farm, as codes, worst first. */
const combinations: [string, Script, string[]][] = [
  [
    "one node is down and another serves one host wrong",
    { cells: { web1: WELL, web2: both(REFUSED), web3: { [HOST]: wrong("other"), [SHOP]: served(SHOP) } } },
    ["connection-refused", "wrong-certificate-for-name"],
  ],
  [
    "the seed from outside: one node is right, two reset everything, one serves one certificate",
    { cells: { web1: WELL, web2: both(RESET), web3: both(RESET), web4: both(wrong("old.example.com")) } },
    ["node-resets-every-handshake", "node-resets-every-handshake", "node-serves-one-certificate"],
  ],
  [
    "the seed with evidence: causes from inside leave nothing to the wire",
    {
      cells: { web1: WELL, web2: both(RESET), web4: both(wrong("old.example.com")) },
      evidence: {
        web1: iisNode([HOST, SHOP]),
        web2: iisNode([HOST, SHOP], { table: table() }),
        web4: iisNode([HOST, SHOP], {
          table: table(ipRow("10.0.0.3:443", "old.example.com"), centralRow()),
          certificates: [installed("old.example.com")],
        }),
      },
    },
    ["central-row-missing", "ip-row-shadows"],
  ],
  [
    "a node that resets everything, and a host that no node serves",
    {
      cells: {
        web1: { ...WELL, "a.example.com": alert("unrecognized_name") },
        web2: { ...both(RESET), "a.example.com": RESET },
      },
    },
    ["node-resets-every-handshake", "name-refused"],
  ],
  [
    "a node without an answer, one of plain HTTP, one of another protocol",
    { cells: { web1: WELL, web2: both(SILENT), web3: both(HTTP), web4: both(SSH), web5: both(HANGS) } },
    ["foreign-protocol-on-tls-port", "plain-http-on-tls-port", "connection-times-out", "handshake-times-out"],
  ],
  [
    "a node that fails on IPv6 alone",
    { cells: { web1: WELL, web2: WELL, "web2@[fd00::2]:443": both(wrong("old.example.com")) } },
    ["ipv6-row-answers"],
  ],
  [
    "a balancer that meets a dead node says so below the node's own finding",
    {
      cells: {
        web1: WELL,
        web2: both(REFUSED),
        lb: { [HOST]: { sni: CLOSED, samples: [served(HOST), CLOSED] }, [SHOP]: { sni: served(SHOP), samples: [CLOSED, served(SHOP)] } },
      },
      balancers: ["lb"],
    },
    ["connection-refused", "balancer-keeps-dead-node"],
  ],
  [
    "a balancer whose connection for the request alone met a dead server",
    through({
      [HOST]: { sni: served(HOST), http11: CLOSED, request: { problem: "no handshake" }, samples: [served(HOST), served(HOST)] },
      [SHOP]: served(SHOP),
    }),
    ["balancer-keeps-dead-node"],
  ],
  [
    "a balancer with a dead server, and hosts that were dialled once only",
    through({ [HOST]: { sni: served(HOST), samples: [CLOSED, served(HOST)] }, [SHOP]: CLOSED }),
    ["balancer-keeps-dead-node"],
  ],
  [
    "a node that closed the connection for the request alone",
    second({ [HOST]: { sni: served(HOST), http11: CLOSED, request: { problem: "no handshake" } }, [SHOP]: served(SHOP) }),
    ["node-fails-sometimes"],
  ],
  [
    "every node is down and so the balancer fails: the balancer is no finding",
    { cells: { web1: both(REFUSED), web2: both(REFUSED), lb: both(CLOSED) }, balancers: ["lb"] },
    ["connection-refused"],
  ],
  ["a balancer alone is looked at as a node is", { cells: { lb: both(RESET) }, balancers: ["lb"] }, ["node-resets-every-handshake"]],
  [
    "one node expects a PROXY header and another resets everything",
    {
      cells: { web1: WELL, web2: both({ sni: CLOSED, "proxy-header": served(HOST) }), web3: both({ sni: CLOSED, "proxy-header": CLOSED }) },
    },
    ["proxy-protocol-mismatch", "node-resets-every-handshake"],
  ],
  [
    "a site is stopped on one node and another answers 500",
    {
      cells: {
        web1: WELL,
        web2: {
          [HOST]: { sni: served(HOST), request: { status: 503, headers: { server: "Microsoft-HTTPAPI/2.0" } } },
          [SHOP]: served(SHOP),
        },
        web3: { [HOST]: { sni: served(HOST), request: { status: 500 } }, [SHOP]: served(SHOP) },
      },
    },
    ["site-stopped", "request-fails"],
  ],
  [
    "one host is refused and another gets the default certificate on the same node",
    second({
      [HOST]: { sni: RESET, "no-sni": served("default") },
      [SHOP]: { sni: wrong("default"), "no-sni": served("default") },
      "a.example.com": served("a.example.com"),
    }),
    ["default-certificate-for-name", "name-refused"],
  ],
];

describe("every rule together gives each fault one cause", () => {
  test.each(combinations)("%s", (_name, script, expected) => {
    expect(codesOf(RULES, script)).toEqual(expected);
  });
});

const make = (server: string, changes: Partial<Exclude<CellScript, { kind: string }>>): Readonly<Record<string, CellScript>> => ({
  [HOST]: {
    sni: served(HOST),
    "no-sni": served("default"),
    "unknown-name": served("default"),
    tls12: served(HOST, { protocol: "TLSv1.2" }),
    tls13: served(HOST),
    rsa: alert("handshake_failure"),
    ecdsa: served(HOST),
    http11: served(HOST, { alpn: "http/1.1" }),
    h2: served(HOST),
    "trailing-dot": served(HOST),
    "proxy-header": CLOSED,
    "own-session": served(HOST, { resumed: true }),
    "other-session": served(HOST),
    sessionFrom: "another",
    request: { status: 200, headers: { server } },
    samples: [served(HOST), served(HOST), served(HOST)],
    ...changes,
  },
});
const nothing: ReturnType<typeof alert> = alert("internal_error");

const healthy: [string, Script][] = [
  [
    "servers of four makes, which differ in what they do with clients that are not asked about",
    {
      cells: {
        web1: make("nginx/1.26.3", {}),
        web2: make("", {
          sni: served(HOST, { alpn: "http/1.1" }),
          "no-sni": nothing,
          "trailing-dot": RESET,
          h2: served(HOST, { alpn: "http/1.1" }),
        }),
        web3: make("Caddy", { "no-sni": nothing, "unknown-name": nothing, "trailing-dot": nothing }),
        web4: make("Apache/2.4.62 (Debian)", { tls13: RESET, "own-session": served(HOST) }),
      },
    },
  ],
  [
    "nodes that turn clients without SNI and unknown names away alike",
    { cells: { web1: make("x", { "no-sni": RESET, "unknown-name": RESET }), web2: make("x", { "no-sni": RESET, "unknown-name": RESET }) } },
  ],
  [
    "certfarm nodes behind their balancer, with all that is probed",
    {
      cells: {
        web1: make("", { "other-session": served(HOST, { resumed: true }), sessionFrom: "web2", "no-sni": alert("unrecognized_name") }),
        web2: make("", { "other-session": served(HOST, { resumed: true }), sessionFrom: "web1", "no-sni": alert("unrecognized_name") }),
        lb: make("", { "no-sni": alert("unrecognized_name") }),
      },
      evidence: { web1: certfarmNode([HOST]), web2: certfarmNode([HOST]) },
      balancers: ["lb"],
    },
  ],
  ["a single server", { cells: { web1: make("nginx", {}) } }],
];

describe("nothing is found on farms that are set up right", () => {
  test.each(healthy)("%s", (_name, script) => {
    const { findings, rules } = diagnose(examine(script), RULES);
    expect(findings.map(({ code, summary }) => [code, summary])).toEqual([]);
    expect(rules.filter(({ status }) => status === "failed")).toEqual([]);
  });
});

test("causes that remain possible are named by codes that exist, with what would decide", () => {
  const codes = new Set(RULES.map(({ code }) => code));
  const likely = [...WIRE_CAUSES, ...PATH_CAUSES]
    .flatMap(({ script }) => diagnose(examine(script), RULES).findings)
    .filter(({ certainty }) => certainty === "likely");
  expect(likely.length).toBeGreaterThan(20);
  for (const { code, others = [], decides } of likely) {
    expect(
      others.filter((other) => !codes.has(other) || other === code),
      code,
    ).toEqual([]);
    expect(decides, code).toMatch(/\S/);
  }
});

test("twenty thousand cells, half of them ill, are explained in seconds", () => {
  const hosts = Array.from({ length: 5_000 }, (_, index) => `h${index}.example.com`);
  const right = Object.fromEntries(hosts.map((host) => [host, served("*.example.com")]));
  const cells = {
    web1: right,
    web2: Object.fromEntries(hosts.map((host) => [host, RESET])),
    web3: Object.fromEntries(hosts.map((host) => [host, wrong("old")])),
    lb: right,
  };
  const examination = examine({ cells, balancers: ["lb"] });
  const started = performance.now();
  const { findings } = diagnose(examination, RULES);
  expect(findings.map(({ code }) => code)).toEqual(["node-resets-every-handshake", "node-serves-one-certificate"]);
  expect(performance.now() - started).toBeLessThan(15_000);
});
