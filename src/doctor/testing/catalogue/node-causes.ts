import {
  anyRow,
  APPS,
  binding,
  bindings,
  centralFile,
  centralRow,
  centralStore,
  event,
  fileReading,
  hostRow,
  iisNode,
  installed,
  ip,
  ipRow,
  listener,
  table,
} from "../evidence.ts";
import { at, RESET, served, wrong, type Script } from "../examination.ts";
import type { CatalogueRow } from "./catalogue-row.ts";
import {
  HOST,
  SHOP,
  HOSTS,
  OLD,
  every,
  RIGHT,
  DEAD,
  WRONG,
  iis,
  farm,
  certfarmRow,
  filesOf,
  INSTALLED,
  byName,
  failed,
  bareTables,
  withDefault,
  withoutStore,
  silent,
} from "./node-scripts.ts";

const rows: readonly (readonly [number, string, Script, string])[] = [
  [1, "IIS without a central row: reset after the ClientHello on one server", iis({ table: table() }), "central-row-missing"],
  [
    1,
    "IIS without a central row, with a default certificate that answers instead",
    iis({ table: table(anyRow(4, OLD)) }, WRONG),
    "central-row-missing",
  ],
  [1, "a certfarm node that observes, without a central row", farm({ table: { ...table(), reconcile: "observe" } }), "central-row-missing"],
  [1, "netsh texts alone, and handshakes", bareTables(table(), DEAD), "central-row-missing"],
  [2, "a row for the address shadows every name", iis({ table: table(centralRow(), ipRow("10.0.0.3:443", OLD)) }, WRONG), "ip-row-shadows"],
  [
    2,
    "the same, and nobody dialled",
    { evidence: iis({ table: table(centralRow(), ipRow("10.0.0.3:443", OLD)) }).evidence ?? {} },
    "ip-row-shadows",
  ],
  [2, "netsh texts alone, and handshakes", bareTables(table(centralRow(), ipRow("10.0.0.3:443", OLD)), WRONG), "ip-row-shadows"],
  [
    2,
    "an operator's row on a certfarm node that observes",
    farm(
      {
        table: { ...table(centralRow(443, { appId: APPS.certfarm }), ipRow("10.0.0.3:443", OLD, certfarmRow)), reconcile: "observe" },
        central: { source: "certificates", access: { kind: "readable" }, files: filesOf([...HOSTS, OLD]) },
      },
      WRONG,
    ),
    "ip-row-shadows",
  ],
  [
    3,
    "a default certificate answers for a name without a file",
    {
      cells: { web1: { ...RIGHT, [SHOP]: wrong(OLD) }, web2: { ...RIGHT, [SHOP]: wrong(OLD) } },
      evidence: { web1: withDefault(), web2: withDefault() },
    },
    "any-row-catches-misses",
  ],
  [
    4,
    "a stale row for [::], which IPv4 clients never meet",
    {
      cells: {
        web1: RIGHT,
        "web1@[fd00::1]:443": every((host) => served("expired", { dnsNames: [host], notAfter: at(-9), verified: "CERT_HAS_EXPIRED" })),
      },
      evidence: {
        web1: iisNode(HOSTS, {
          table: table(anyRow(4, HOST), anyRow(6, "expired")),
          bindings: bindings(binding(HOST, { sni: false, central: false, sslFlags: 0 })),
          certificates: [installed(HOST), installed("expired")],
        }),
      },
    },
    "ipv6-row-answers",
  ],
  [
    5,
    "rows for the servers' own addresses behind floating IP",
    {
      cells: { web1: { [HOST]: served(HOST) }, "lb@203.0.113.9:443": { [HOST]: RESET } },
      balancers: ["lb"],
      evidence: {
        web1: iisNode([HOST], {
          addresses: [ip("10.0.0.1"), ip("203.0.113.9")],
          table: table(ipRow("10.0.0.1:443", HOST)),
          bindings: bindings(binding(HOST, { sni: false, central: false, sslFlags: 0 })),
          certificates: [installed(HOST)],
        }),
      },
    },
    "ip-row-misses-traffic",
  ],
  [
    6,
    "no feature for central certificates",
    iis({ table: table(), central: { source: "settings", installed: false } }),
    "central-feature-missing",
  ],
  [
    7,
    "the central store is turned off",
    iis({ table: table(), central: { source: "settings", installed: true, enabled: false } }),
    "central-store-disabled",
  ],
  [
    7,
    "the central store is another folder, with nothing in it",
    iis({ central: centralStore([], { location: String.raw`\\old\certificates` }) }),
    "central-store-location-differs",
  ],
  [8, "the account cannot log on at the share", iis({ central: failed("logon") }, { ...RIGHT, [SHOP]: RESET }), "central-store-credential"],
  [8, "the account may not read the share", iis({ central: failed("denied") }), "central-store-credential"],
  [9, "the share does not answer", iis({ central: failed("unreachable") }), "central-store-unreachable"],
  [9, "the folder is gone", iis({ central: failed("absent") }), "central-store-unreachable"],
  [
    12,
    "files that this server cannot open and others can",
    iis({ central: centralStore(HOSTS.map((host) => centralFile(`${host}.pfx`, { reading: fileReading(host, "wrong-password") }))) }),
    "central-password-differs",
  ],
  [12, "no password on this server", iis({ central: centralStore(filesOf(HOSTS), { hasPassword: false }) }), "central-password-differs"],
  [12, "everything looks right, and every central name is dead", iis({}), "central-password-differs"],
  [
    17,
    "a key that was imported for signatures",
    byName({ certificates: HOSTS.map((host) => installed(host, { keySpec: 2 })) }, DEAD),
    "key-spec-wrong",
  ],
  [
    18,
    "a key that the server may not read",
    byName({ certificates: HOSTS.map((host) => installed(host, { keyReadable: false })) }, DEAD),
    "key-not-readable",
  ],
  [
    19,
    "a row whose certificate is not installed",
    byName({ certificates: [], events: [event("HttpEvent", 15021)] }, DEAD),
    "row-certificate-missing",
  ],
  [
    20,
    "rows without a store, and certificates in WebHosting",
    byName({ table: table(...HOSTS.map(withoutStore)), certificates: HOSTS.map((host) => installed(host, { store: "WebHosting" })) }, DEAD),
    "row-store-name-wrong",
  ],
  [
    31,
    "a torn applicationHost.config",
    iis(
      {
        configuration: { source: "applicationHost.config", problem: "line 90, column 1: the element site is not closed" },
        events: [event("IIS-W3SVC-WP", 2297)],
      },
      every((host) => ({ sni: served(host), request: { status: 503 } })),
    ),
    "configuration-unusable",
  ],
  [
    31,
    "an older applicationHost.config",
    iis(
      { configuration: { source: "applicationHost.config", digest: "OLD" }, bindings: bindings(binding(HOST)) },
      { ...RIGHT, [SHOP]: RESET },
    ),
    "configuration-behind",
  ],
  [
    31,
    "a certfarm node with an older revision",
    farm(
      { configuration: { source: "report", revision: 6, digest: "OLD" }, bindings: bindings(binding(HOST)) },
      { ...RIGHT, [SHOP]: { kind: "alert", alert: "unrecognized_name" } },
    ),
    "configuration-behind",
  ],
  [
    32,
    "redirection is off on one server",
    iis(
      {
        configuration: { source: "redirection.config", digest: "OLD", redirection: { enabled: false } },
        bindings: bindings(binding(HOST)),
      },
      { ...RIGHT, [SHOP]: RESET },
    ),
    "redirection-differs",
  ],
  [
    33,
    "a row of one server was changed by hand",
    byName(
      { table: table(hostRow(HOST), hostRow(SHOP, OLD)), certificates: [...INSTALLED, installed(OLD)] },
      { ...RIGHT, [SHOP]: served(OLD, { dnsNames: [SHOP] }) },
    ),
    "table-drift",
  ],
  [33, "a row of one server was taken out", byName({ table: table(hostRow(HOST)) }, { ...RIGHT, [SHOP]: RESET }), "host-row-missing"],
  [
    34,
    "a binding lost the bit for central certificates, and got a row of its own",
    iis(
      {
        bindings: bindings(binding(HOST), binding(SHOP, { central: false, sslFlags: 1 })),
        table: table(centralRow(), hostRow(SHOP, OLD)),
        certificates: [installed(OLD)],
      },
      { ...RIGHT, [SHOP]: served(OLD, { dnsNames: [SHOP] }) },
    ),
    "binding-flags-differ",
  ],
  [
    35,
    "a deployment tool gave the row of a site another certificate",
    iis(
      {
        table: table(centralRow(), hostRow(SHOP, OLD, { appId: "{0e6f9b1c-1111-4222-8333-944444444444}" })),
        certificates: [installed(OLD)],
      },
      { ...RIGHT, [SHOP]: wrong(OLD) },
    ),
    "foreign-row-owner",
  ],
  [
    36,
    "AD FS has a row for the address",
    iis({ table: table(centralRow(), ipRow("10.0.0.3:443", OLD, { appId: APPS.adfs })), certificates: [installed(OLD)] }, WRONG),
    "foreign-row-owner",
  ],
  [
    37,
    "certificate data of old in the configuration took the rows away at a start",
    iis({
      table: table(),
      configuration: { source: "applicationHost.config", legacyBindingData: true },
      events: [event("HttpEvent", 15300)],
    }),
    "legacy-binding-data",
  ],
  [
    39,
    "nothing listens on the port",
    iis(
      { listeners: [listener("0.0.0.0:80")] },
      every(() => ({ kind: "refused" })),
    ),
    "port-not-open",
  ],
  [
    39,
    "a firewall drops connections to a port that is listened on",
    iis(
      { listeners: [listener("0.0.0.0:443")] },
      every(() => ({ kind: "timeout", during: "connect" })),
    ),
    "port-not-open",
  ],
  [39, "a certfarm node that is down", { ...silent(every(() => ({ kind: "refused" }))) }, "node-silent"],
  [
    40,
    "another program holds the port",
    iis({ listeners: [listener("0.0.0.0:443", { process: "vmware-hostd" })] }, WRONG),
    "foreign-process-on-port",
  ],
  [
    75,
    "dead since the start this morning, though all is there now",
    iis({ system: { source: "system", name: "Windows Server 2019", version: "10.0.17763", build: 17_763, startedAt: at(-0.2) } }),
    "started-before-store",
  ],
];

/** Causes that rules of tier "node" name. */
export const NODE_CAUSES: readonly CatalogueRow[] = rows.map(([cause, name, script, first]) => ({ cause, name, script, first }));
