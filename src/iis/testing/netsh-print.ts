import type { EvidenceRow, EvidenceRowKey } from "../../doctor/index.ts";

/** How a table is printed: what differs between versions, languages and ways of copying a text. */
export interface NetshLayout {
  readonly language: NetshLanguage;
  /** Blanks before each line of a row. */
  readonly indent: number;
  /** Columns of a label. */
  readonly pad: number;
  /** What stands between label and value. */
  readonly colon: " : " | ": " | " :" | " :       : ";
  /** After each value. */
  readonly trailing: "" | " ";
  readonly lineEnd: "\n" | "\r\n";
  /** Around each line. */
  readonly quote: "" | "`" | "> ";
  readonly heading: boolean;
  readonly blankBetween: boolean;
}

/** Labels in the order of a row's lines; key labels by kind. */
export interface NetshLanguage {
  readonly heading: string;
  readonly key: Readonly<Record<EvidenceRowKey["kind"], string>>;
  readonly hash: string;
  readonly appId: string;
  readonly store: string;
  readonly on: string;
}

const keyLabels = (ip: string, host: string, central: string) => ({ ip, any: ip, host, central, "scoped-central": host });

export const ENGLISH: NetshLanguage = {
  heading: "SSL Certificate bindings: ",
  key: { ...keyLabels("IP:port", "Hostname:port", "Central Certificate Store"), "scoped-central": "Scoped CCS:port" },
  hash: "Certificate Hash",
  appId: "Application ID",
  store: "Certificate Store Name",
  on: "Enabled",
};

export const FRENCH: NetshLanguage = {
  heading: "Liaisons de certificat SSL :",
  key: keyLabels("Adresse IP:port", "Nom d'hôte:port", "Magasin de certificats central"),
  hash: "Hachage du certificat",
  appId: "ID de l'application",
  store: "Nom du magasin de certificats",
  on: "Enabled",
};

export const GERMAN: NetshLanguage = {
  heading: "SSL-Zertifikatbindungen:",
  key: keyLabels("IP:Port", "Hostname:Port", "Zentraler Zertifikatspeicher"),
  hash: "Zertifikathash",
  appId: "Anwendungs-ID",
  store: "Zertifikatspeichername",
  on: "Aktiviert",
};

/** Labels of no language, as an unknown code page leaves them. */
export const UNREADABLE: NetshLanguage = {
  heading: "�ؖ���:",
  key: keyLabels("IP:�|�[�g", "�z�X�g:�|", "�W���ؖ���"),
  hash: "�ؖ��� n",
  appId: "�A�v�� ID",
  store: "�X�g�A��",
  on: "�L��",
};

/** What netsh prints for a row's key. */
export function keyPrint(key: EvidenceRowKey): string {
  switch (key.kind) {
    case "ip":
      return key.address.includes(":") ? `[${key.address}]:${key.port}` : `${key.address}:${key.port}`;
    case "any":
      return key.family === 6 ? `[::]:${key.port}` : `0.0.0.0:${key.port}`;
    case "central":
      return String(key.port);
    default:
      return `${key.host}:${key.port}`;
  }
}

/** A table as netsh prints it. */
export function printNetsh(rows: readonly EvidenceRow[], layout: NetshLayout): string {
  const { language, lineEnd, heading, blankBetween } = layout;
  const head = heading ? ["", language.heading, "-------------------------", ""] : [];
  const blocks = rows.map(({ key, thumbprint, appId, storeName, options }) =>
    [
      [language.key[key.kind], keyPrint(key)],
      [language.hash, thumbprint?.toLowerCase() ?? "(null)"],
      [language.appId, appId ?? "(null)"],
      [language.store, storeName ?? "(null)"],
      ...Object.entries(options),
    ].map(([label = "", value = ""]) => line(label, value, layout)),
  );
  const body = blocks.flatMap((block, at) => (blankBetween && at > 0 ? ["", ...block] : block));
  return [...head, ...body, ""].join(lineEnd);
}

function line(label: string, value: string, { indent, pad, colon, trailing, quote }: NetshLayout): string {
  return `${quote}${" ".repeat(indent)}${label.padEnd(pad)}${colon}${value}${trailing}${quote === "`" ? quote : ""}`;
}
