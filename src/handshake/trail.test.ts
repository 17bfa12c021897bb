import { expect, it } from "vitest";

import { parseHostPattern } from "../base/index.ts";
import { formatTrail } from "./trail.ts";
import type { TrailStep } from "./types.ts";

const steps: readonly TrailStep[] = [
  { look: "ip row", outcome: "absent", because: "no row for 10.0.0.4:443" },
  { look: "central row", outcome: "matched", because: "central:443" },
  { look: "exact file", outcome: "unusable", because: "a.pfx: wrong-password" },
];

it("numbers the steps, aligns them and ends with what is served", () => {
  const lines = formatTrail({
    kind: "serve",
    row: { kind: "central", port: 443 },
    certificates: [
      { file: "a.rsa.pfx", thumbprint: "A", keyType: "rsa" },
      { file: "a.ecdsa.pfx", thumbprint: "B", keyType: "ecdsa" },
    ],
    trail: steps,
  });
  expect(lines).toEqual([
    "1. · ip row       no row for 10.0.0.4:443",
    "2. ✓ central row  central:443",
    "3. ✗ exact file   a.pfx: wrong-password",
    "✓ served: a.rsa.pfx (rsa) and a.ecdsa.pfx (ecdsa) by row central:443",
  ]);
});

it("aligns numbers of two digits", () => {
  const trail = Array.from({ length: 10 }, () => ({ look: "x", outcome: "absent" as const, because: "y" }));
  const lines = formatTrail({ kind: "need", files: ["a.pfx", "b.pfx"], trail });
  expect([lines[0], lines[9], lines[10]]).toEqual([" 1. · x  y", "10. · x  y", "· undecided: a.pfx and b.pfx must be read first"]);
});

it("ends with reason and alert of a refusal, and with the row's key of any kind", () => {
  expect(formatTrail({ kind: "refuse", reason: "no-row", alert: "unrecognized_name", trail: [] })).toEqual([
    "✗ refused: no-row, with the alert unrecognized_name",
  ]);
  const host = parseHostPattern("*.example.com");
  expect(host).toBeDefined();
  if (host === undefined) return;
  const lines = formatTrail({
    kind: "serve",
    row: { kind: "host", host, port: 443 },
    certificates: [{ file: "w.pfx", thumbprint: "C", keyType: "rsa" }],
    trail: [],
  });
  expect(lines).toEqual(["✓ served: w.pfx (rsa) by row host:*.example.com:443"]);
});
