import { clean } from "../text.ts";
import type { DoctorReport } from "./types.ts";

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [Labels, number];

/**
 * The report in Prometheus' text format 0.0.4. Cells that were not looked at have no sample; a series that would come twice
 * (names that differ in unprintable characters only) comes once.
 */
export function prometheusReport(report: DoctorReport): string {
  const cells = report.matrix.flatMap(({ host, cells }) =>
    cells.flatMap((cell, at) => (cell.state === "not-looked" ? [] : [{ cell, labels: { node: report.nodes[at]?.name ?? "", host } }])),
  );
  const samplesOf = (value: (cell: (typeof cells)[number]["cell"]) => number | undefined): readonly Sample[] =>
    cells.flatMap(({ cell, labels }): readonly Sample[] => {
      const number = value(cell);
      return number === undefined ? [] : [[labels, number]];
    });
  return [
    family(
      "certfarm_tls_ok",
      "Whether the node serves the host as it should.",
      samplesOf(({ state }) => (state === "ok" ? 1 : 0)),
    ),
    family(
      "certfarm_tls_not_after_timestamp_seconds",
      "When the certificate served ends, in seconds since 1970.",
      samplesOf(({ notAfter }) => (notAfter === undefined ? undefined : notAfter / 1000)),
    ),
    family(
      "certfarm_tls_handshake_seconds",
      "How long the handshake took.",
      samplesOf(({ tookMs }) => (tookMs === undefined ? undefined : tookMs / 1000)),
    ),
    family("certfarm_findings", "Findings of the doctor by severity.", severities(report)),
    family("certfarm_finding", "A finding, on each node concerned; node is empty when it concerns the farm.", findingSamples(report)),
    family("certfarm_doctor_gaps", "What could not be looked at.", [[{}, report.gaps.length]]),
    family("certfarm_doctor_timestamp_seconds", "When the doctor looked, in seconds since 1970.", [[{}, report.at / 1000]]),
  ].join("");
}

const severities = ({ findings }: DoctorReport): readonly Sample[] =>
  (["error", "warning", "notice"] as const).map((severity) => [
    { severity },
    findings.filter((finding) => finding.severity === severity).length,
  ]);

const findingSamples = ({ findings }: DoctorReport): readonly Sample[] =>
  findings.flatMap(({ id, code, severity, nodes }) =>
    (nodes.length === 0 ? [""] : nodes).map((node): Sample => [{ code, id, node, severity }, 1]),
  );

function family(name: string, help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  const series = new Map(samples.map(([labels, value]) => [`${name}${labelText(labels)}`, value]));
  return [`# HELP ${name} ${help}\n# TYPE ${name} gauge\n`, ...[...series].map(([key, value]) => `${key} ${value}\n`)].join("");
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${clean(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
