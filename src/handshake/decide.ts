import { formatEndpoint, ipFamily, wildcardOf, type HostName } from "../base/index.ts";
import { indexTable, rowKeyText, type PortRows, type Row } from "../bindings/index.ts";
import { chooseCentral } from "./choose-central.ts";
import { covers, type Attempt, type Selection } from "./selection.ts";
import { leafText } from "./trail.ts";
import type { AlertName, Decision, RefusalCode, SelectionInput } from "./types.ts";

/**
 * Which certificate a ClientHello gets, and why (DESIGN.md section 4). In this order, the first that has a usable file:
 * 1. the `ip:port` row of the local address, whatever the server name
 * 2. the `host:port` row of the server name: exact, then the wildcard of its left-most label
 * 3. the `central:port` row: the file of the exact name, else of the wildcard, else one whose names cover it
 * 4. the `[::]:port` row, for IPv6 connections only
 * 5. the `0.0.0.0:port` row
 * A row without a usable file is passed over like one that is not there. When nothing is left the hello is refused.
 *
 * Pure and total: same input, same decision. `need` names only files that `central` says are unread, and as few as possible.
 */
export function decide(input: SelectionInput): Decision {
  const selection: Selection = { input, trail: [], sawUnusable: false, sawMissing: false };
  const rows = indexTable(input.table).port(input.local.port);
  if (rows === undefined) {
    selection.trail.push({ look: "port", outcome: "absent", because: `the table has no row at all for port ${input.local.port}` });
    return refuse(selection, "no-row");
  }
  return (
    tryIpRow(selection, rows) ??
    tryHostRow(selection, rows) ??
    tryCentralRow(selection, rows) ??
    tryAnyRow(selection, rows.any6, 6) ??
    tryAnyRow(selection, rows.any4, 4) ??
    refuse(selection, reasonOf(selection, rows))
  );
}

function tryIpRow(selection: Selection, rows: PortRows): Attempt {
  const row = rows.ip(selection.input.local.address);
  if (row !== undefined) return serveRow(selection, row, "ip row");
  selection.trail.push({ look: "ip row", outcome: "absent", because: `no row for ${formatEndpoint(selection.input.local)}` });
  return undefined;
}

function tryHostRow(selection: Selection, rows: PortRows): Attempt {
  const { serverName, local } = selection.input;
  if (serverName.kind !== "name") {
    selection.trail.push({ look: "server name", outcome: "absent", because: noName(selection) });
    return undefined;
  }
  const row = rows.host(serverName.host);
  if (row !== undefined) return serveRow(selection, row, "host row");
  selection.trail.push({ look: "host row", outcome: "absent", because: `no row for ${namesTried(serverName.host)} on port ${local.port}` });
  return undefined;
}

function noName(selection: Selection): string {
  const { serverName } = selection.input;
  const because = "so host rows and central certificates cannot be looked up";
  if (serverName.kind !== "invalid") return `the client sent no server name (SNI), ${because}`;
  return `the client sent "${serverName.shown}" as server name: ${serverName.problem}, ${because}`;
}

function namesTried(host: HostName): string {
  const wildcard = wildcardOf(host);
  return wildcard === undefined ? host : `${host} or ${wildcard}`;
}

function tryCentralRow(selection: Selection, rows: PortRows): Attempt {
  const { serverName, local } = selection.input;
  if (serverName.kind !== "name") return undefined;
  const row = rows.central;
  if (row === undefined) {
    selection.trail.push({ look: "central row", outcome: "absent", because: `no row central:${local.port}` });
    return undefined;
  }
  selection.trail.push({
    look: "central row",
    outcome: "matched",
    because: `${rowKeyText(row.key)}: the file is chosen by the name ${serverName.host}`,
  });
  return chooseCentral(selection, row, serverName.host);
}

function tryAnyRow(selection: Selection, row: Row | undefined, family: 4 | 6): Attempt {
  const { address, port } = selection.input.local;
  if (family === 6 && ipFamily(address) === 4) return undefined;
  if (row !== undefined) return serveRow(selection, row, "any row");
  selection.trail.push({ look: "any row", outcome: "absent", because: `no row for ${family === 6 ? "[::]" : "0.0.0.0"}:${port}` });
  return undefined;
}

/** The certificate of a row that names its file. */
function serveRow(selection: Selection, row: Row, look: string): Attempt {
  const { central, now, serverName } = selection.input;
  const text = rowKeyText(row.key);
  const file = row.file ?? "";
  const knowledge = central.file(file);
  if (knowledge === undefined) {
    selection.sawMissing = true;
    selection.trail.push({ look, outcome: "unusable", because: `${text} names ${file}, which is not among the central certificates` });
    return undefined;
  }
  switch (knowledge.state) {
    case "unread":
      selection.trail.push({ look, outcome: "matched", because: `${text} names ${file}, which was not read yet` });
      return { kind: "need", files: [file], trail: selection.trail };
    case "unusable":
      selection.sawUnusable = true;
      selection.trail.push({ look, outcome: "unusable", because: `${text} names ${file}: ${knowledge.status}, ${knowledge.problem}` });
      return undefined;
    case "usable": {
      const { leaf } = knowledge;
      const mismatch = serverName.kind === "name" && !covers(leaf, serverName.host) ? `; it does not name ${serverName.host}` : "";
      selection.trail.push({ look, outcome: "chosen", because: `${text} names ${file}: ${leafText(leaf, now)}${mismatch}` });
      const certificates = [{ file, thumbprint: leaf.thumbprint, keyType: leaf.keyType }];
      return { kind: "serve", row: row.key, certificates, trail: selection.trail };
    }
  }
}

/** The nearest cause: a file that cannot be used says more than a name that was not sent. */
function reasonOf(selection: Selection, rows: PortRows): RefusalCode {
  if (selection.sawUnusable) return "certificate-unusable";
  if (selection.sawMissing) return "no-certificate";
  // With rows for other addresses only, a name would not have helped.
  const wantsName = rows.central !== undefined || rows.hasHostRows;
  const { serverName } = selection.input;
  if (wantsName && serverName.kind === "absent") return "no-server-name";
  if (wantsName && serverName.kind === "invalid") return "invalid-server-name";
  return rows.central === undefined ? "no-row" : "no-certificate";
}

const SENTENCES: Readonly<Partial<Record<RefusalCode, string>>> = {
  "no-row": "no row of the table takes this connection",
  "no-certificate": "a row takes this connection, but there is no certificate file for it",
  "certificate-unusable": "there is a certificate file for this connection, but it cannot be used",
  "no-server-name": "only a server name (SNI) could have led to a certificate, and none was sent",
  "invalid-server-name": "only a server name (SNI) could have led to a certificate, and the one sent is not valid",
};

function refuse(selection: Selection, reason: RefusalCode): Decision {
  // The name may be right and the farm wrong: then the client is told of a fault, not that the name is unknown.
  const alert: AlertName = reason === "certificate-unusable" ? "internal_error" : "unrecognized_name";
  selection.trail.push({ look: "refusal", outcome: "refused", because: SENTENCES[reason] ?? reason });
  return { kind: "refuse", reason, alert, trail: selection.trail };
}
