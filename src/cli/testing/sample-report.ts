import type { Cell, Finding, DoctorReport } from "../reports/types.ts";

/** When reports of these tests were made. */
export const AT = Date.UTC(2026, 5, 15, 12);

/** A cell of a healthy host. */
export const GOOD: Cell = {
  state: "ok",
  text: "",
  thumbprint: "A".repeat(40),
  notAfter: AT + 60 * 86_400_000,
  protocol: "TLSv1.3",
  alpn: "h2",
  status: 200,
  tookMs: 4,
};

/** A handshake that was reset, explained by these findings. */
export const reset = (...explainedBy: readonly string[]): Cell => ({
  state: "no-handshake",
  text: "reset after the ClientHello, without an alert",
  tookMs: 3,
  ...(explainedBy.length === 0 ? {} : { explainedBy }),
});

export const NOT_LOOKED: Cell = { state: "not-looked", text: "" };

/** A finding on web3, with changes. */
export const finding = (changes: Partial<Finding> = {}): Finding => ({
  id: "F-00000001",
  code: "central-row-missing",
  title: "A node has no central row",
  severity: "error",
  differs: true,
  summary: "web3 has no central row on port 443",
  nodes: ["web3"],
  hosts: [],
  proof: [
    { text: "no row at all on port 443", source: "web3: netsh http show sslcert" },
    {
      text: "2 bindings ask for a central certificate on port 443: www.example.com and shop.example.com",
      source: "applicationHost.config",
    },
  ],
  remedy: "Add the central row for port 443 on web3.",
  effect: "web3 chooses certificates of the central store for port 443; rows with a higher rank keep theirs.",
  actions: [{ do: "add-central-row", node: "web3", port: 443 }],
  explains: [
    { node: "web3", host: "www.example.com" },
    { node: "web3", host: "shop.example.com" },
  ],
  certainty: "certain",
  ...changes,
});

/** A report of these rows on nodes `web1`, `web2`, … . */
export function report(rows: Readonly<Record<string, readonly Cell[]>>, changes: Partial<DoctorReport> = {}): DoctorReport {
  const most = Math.max(0, ...Object.values(rows).map((cells) => cells.length));
  return {
    at: AT,
    nodes: Array.from({ length: most }, (_each, at) => ({ name: `web${at + 1}`, role: "node" as const })),
    matrix: Object.entries(rows).map(([host, cells]) => ({ host, cells })),
    findings: [],
    rules: [],
    gaps: [],
    ...changes,
  };
}

/** The seed's story: web1 right, web2 and web3 without the central row, web4 with a row that shadows; 36 more hosts that are well. */
export function brokenFarm(): DoctorReport {
  const one = finding({ id: "F-00000001", nodes: ["web2"], summary: "web2 has no central row on port 443", explains: [] });
  const two = finding({ id: "F-00000002" });
  const three = finding({
    id: "F-00000003",
    code: "ip-row-shadows",
    title: "A row for an address shadows every name on it",
    nodes: ["web4"],
    hosts: ["www.example.com", "shop.example.com"],
    summary: "web4 serves CN=legacy.example.com for every name on 10.0.0.4:443",
    certainty: "likely",
    others: ["a proxy in front of web4 ends TLS itself"],
    decides: "the binding table of web4",
    actions: [
      {
        do: "delete-row",
        node: "web4",
        key: { kind: "ip", address: "10.0.0.4", port: 443 },
        row: { key: { kind: "ip", address: "10.0.0.4", port: 443 }, thumbprint: "B".repeat(40), options: {} },
      },
    ],
  });
  const wrong: Cell = { ...GOOD, state: "wrong-name", text: "serves CN=legacy.example.com instead", explainedBy: [three.id] };
  const broken = [GOOD, reset(one.id), reset(two.id), wrong];
  const well = Array.from({ length: 36 }, (_each, at) => [`site${at}.example.net`, [GOOD, GOOD, GOOD, GOOD]] as const);
  return report(
    {
      ...Object.fromEntries(well),
      "www.example.com": broken,
      "shop.example.com": broken,
      "old.example.com": [1, 2, 3, 4].map(() => ({ ...GOOD, state: "validity", text: "CN=old.example.com: CERT_HAS_EXPIRED" })),
    },
    {
      findings: [one, two, three],
      gaps: [{ node: "web2", what: "events", why: "the event log could not be read: access denied" }],
      rules: [
        { code: "central-row-missing", status: "found" },
        { code: "polling-stopped", status: "could-not-look", why: "no central store settings were collected" },
      ],
    },
  );
}
