import { formatEndpoint, ipFamily, patternCovers } from "../base/index.ts";
import type { EvidenceRow, NodeEvidence } from "../doctor/index.ts";
import { formatSteps } from "../handshake/index.ts";
import { lookIntoStore } from "./explain-central.ts";
import { judgeInstalled } from "./explain-installed.ts";
import { keyText, type IisExplanation, type IisOutcome, type IisQuestion, type IisWalk } from "./explanation.ts";

/**
 * Which certificate an IIS server shows, by the order that Microsoft documents for HTTP.sys: 1. the `ip:port` row of the address,
 * 2. the host row of the server name, 3. the central row with the file of the name, else of its wildcard, 4. `[::]:port` for IPv6,
 * 5. `0.0.0.0:port`. Nothing found resets the connection.
 */
export function explainIis(evidence: NodeEvidence, question: IisQuestion): IisExplanation {
  const { table } = evidence;
  const rows = (table?.rows ?? []).filter(({ key }) => key.port === question.port);
  const walk: IisWalk = { evidence, question, rows, trail: [], assumed: [] };
  if (table === undefined) return answer(walk, { kind: "unknown", because: "the binding table of the server was not collected" });
  if (rows.length === 0) {
    walk.trail.push({ look: "port", outcome: "absent", because: `the table has no row at all for port ${question.port}` });
    return answer(walk, { kind: "reset" });
  }
  const outcome = tryIp(walk) ?? tryNames(walk) ?? tryAny(walk, 6) ?? tryAny(walk, 4) ?? { kind: "reset" };
  return answer(walk, outcome);
}

function answer({ trail, assumed, question }: IisWalk, outcome: IisOutcome): IisExplanation {
  if (outcome.kind === "reset") {
    const because = `nothing answers for ${question.serverName ?? "a client without a server name"}: HTTP.sys resets the connection, and no log of IIS says so`;
    return { trail: [...trail, { look: "refusal", outcome: "refused", because }], outcome, assumed };
  }
  return { trail, outcome, assumed };
}

function tryIp(walk: IisWalk): IisOutcome | undefined {
  const { rows, question, trail, assumed } = walk;
  const { address, port, serverName } = question;
  const ofAddresses = rows.filter(({ key }) => key.kind === "ip");
  if (address === undefined) {
    for (const { key } of ofAddresses) {
      trail.push({
        look: "ip row",
        outcome: "passed-over",
        because: `${keyText(key)} answers whatever comes to that address; this is about others`,
      });
    }
    return undefined;
  }
  const row = ofAddresses.find(({ key }) => key.kind === "ip" && key.address === address);
  if (row === undefined) {
    trail.push({ look: "ip row", outcome: "absent", because: `no row for ${formatEndpoint({ address, port })}` });
    return undefined;
  }
  if (serverName !== undefined && rows.some(({ key }) => key.kind !== "ip" && key.kind !== "any")) {
    assumed.push("A row of the very address answers before rows by name: Microsoft writes so for AD FS; other texts put names first.");
  }
  return serveRow(walk, row, "ip row");
}

function tryNames(walk: IisWalk): IisOutcome | undefined {
  const { rows, question, trail } = walk;
  const { serverName, port } = question;
  if (serverName === undefined) {
    trail.push({
      look: "server name",
      outcome: "absent",
      because: "the client sent none (SNI), so neither host rows nor central certificates count",
    });
    return undefined;
  }
  const exact = rows.find(({ key }) => key.kind === "host" && key.host === (serverName as string));
  const host = exact ?? rows.find(({ key }) => key.kind === "host" && patternCovers(key.host, serverName));
  if (host !== undefined) return serveRow(walk, host, "host row");
  trail.push({ look: "host row", outcome: "absent", because: `no row for ${serverName} on port ${port}` });
  const central =
    rows.find(({ key }) => key.kind === "scoped-central" && patternCovers(key.host, serverName)) ??
    rows.find(({ key }) => key.kind === "central");
  if (central === undefined) {
    trail.push({ look: "central row", outcome: "absent", because: `no central row for port ${port}` });
    return undefined;
  }
  return lookIntoStore(walk, central.key, serverName);
}

function tryAny(walk: IisWalk, family: 4 | 6): IisOutcome | undefined {
  const { rows, question, trail, assumed } = walk;
  const { address, port, serverName } = question;
  if (family === 6 && (address === undefined || ipFamily(address) === 4)) return undefined;
  const row = rows.find(({ key }) => key.kind === "any" && key.family === family);
  if (row === undefined) {
    trail.push({ look: "any row", outcome: "absent", because: `no row for ${family === 6 ? "[::]" : "0.0.0.0"}:${port}` });
    return undefined;
  }
  if (serverName !== undefined && rows.some(({ key }) => key.kind === "central" || key.kind === "scoped-central")) {
    assumed.push(
      "A name without a central file goes on to the rows for any address: described for Windows Server 2012, not proved for 2019 and later.",
    );
  }
  return serveRow(walk, row, "any row");
}

function serveRow(walk: IisWalk, row: EvidenceRow, look: string): IisOutcome {
  const { problem, text } = judgeInstalled(walk.evidence, row);
  if (problem !== undefined) {
    walk.trail.push({ look, outcome: "unusable", because: `${keyText(row.key)}: ${problem}` });
    walk.assumed.push("A row whose certificate cannot be used ends the handshake; no row after it is tried.");
    return { kind: "reset" };
  }
  walk.trail.push({ look, outcome: "chosen", because: `${keyText(row.key)}: ${text}` });
  return {
    kind: "serve",
    row: row.key,
    ...(row.thumbprint === undefined ? {} : { thumbprint: row.thumbprint }),
    storeName: row.storeName ?? "My",
  };
}

/** The answer as lines for a person: the steps, the outcome, and what was assumed. */
export function formatIisExplanation({ trail, outcome, assumed }: IisExplanation): readonly string[] {
  return [...formatSteps(trail), outcomeLine(outcome), ...assumed.map((rule) => `? assumed: ${rule}`)];
}

function outcomeLine(outcome: IisOutcome): string {
  switch (outcome.kind) {
    case "serve":
      return `✓ served: ${outcome.file ?? `the certificate ${outcome.thumbprint ?? "of the row"} in ${outcome.storeName ?? "My"}`} by row ${keyText(outcome.row)}`;
    case "reset":
      return "✗ reset: the connection ends after the ClientHello, without an alert";
    case "unknown":
      return `· undecided: ${outcome.because}`;
  }
}
