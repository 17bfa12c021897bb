import type { DoctorReport } from "../reports/types.ts";
import { GOOD, finding, report } from "./sample-report.ts";

/** Everything a peer or a file could try: markup, quotes, NUL, escapes of terminals, marks that turn the direction, what XML forbids. */
const HOSTILE = `<script>alert(1)</script>"'&]]>\u0000\u001b[2J\u001b]0;title\u0007\u009b31m\u202e\u200f\u2028\ufffe\ud800\\ \`x\`\r\n# HELP`;

/** A report in which every text that a peer could have a hand in is hostile. */
export function hostileReport(text = HOSTILE): DoctorReport {
  return report(
    { [text]: [{ ...GOOD, state: "wrong-name", text, explainedBy: [text] }, GOOD], [`${text}${"x".repeat(250)}`]: [GOOD, GOOD] },
    {
      nodes: [
        { name: text, role: "node", make: "iis" },
        { name: `${text}${"y".repeat(5_000)}`, role: "balancer" },
      ],
      findings: [
        finding({
          id: text,
          code: text,
          title: text,
          summary: text,
          nodes: [text],
          hosts: [text],
          proof: [{ text, source: text }],
          remedy: text,
          effect: text,
          certainty: "likely",
          others: [text],
          decides: text,
        }),
        finding({ severity: "notice", summary: "z".repeat(100_000) }),
      ],
      gaps: [{ node: text, what: text, why: text }],
      rules: [{ code: text, status: "failed", why: text }],
    },
  );
}
