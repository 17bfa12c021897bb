import { formatEndpoint, type HostPattern, type IpAddress } from "../../base/index.ts";

/** A binding for farm.yaml. */
export interface WrittenBinding {
  readonly protocol: "http" | "https";
  readonly address: IpAddress | "*";
  readonly port: number;
  readonly host?: HostPattern;
  /** A certificate for clients without SNI, and for every name at this place; absent = central, by name. */
  readonly file?: string;
}

/** What a site does. */
export type WrittenService =
  | { readonly kind: "content"; readonly folder: string; readonly index: readonly string[] }
  | { readonly kind: "redirect"; readonly to: string; readonly status: number; readonly keepPath: boolean };

/** A site for farm.yaml. */
export interface WrittenSite {
  readonly name: string;
  readonly bindings: readonly WrittenBinding[];
  readonly service: WrittenService;
  readonly redirectToHttps: boolean;
  readonly hsts?: { readonly maxAgeSeconds: number; readonly includeSubDomains: boolean; readonly preload: boolean };
  readonly http2: boolean;
  readonly tls13: boolean;
}

/** farm.yaml with these nodes and sites. */
export function writeYaml(farm: string, nodes: readonly string[], sites: readonly WrittenSite[]): string {
  const lines = [`farm: ${scalar(farm)}`, "nodes:", ...nodes.map((name) => `  - name: ${scalar(name)}`)];
  lines.push(sites.length === 0 ? "sites: []" : "sites:");
  for (const site of sites) for (const line of siteLines(site)) lines.push(line);
  return `${lines.join("\n")}\n`;
}

function siteLines(site: WrittenSite): readonly string[] {
  const { hsts } = site;
  const lines = [`  - name: ${scalar(site.name)}`, "    bindings:", ...site.bindings.map((binding) => `      - ${bindingText(binding)}`)];
  lines.push(`    ${serviceText(site.service)}`);
  if (site.redirectToHttps) lines.push("    redirectToHttps: true");
  if (hsts !== undefined)
    lines.push(`    hsts: { maxAge: ${hsts.maxAgeSeconds}s, includeSubDomains: ${hsts.includeSubDomains}, preload: ${hsts.preload} }`);
  const tls = [...(site.http2 ? [] : ["alpn: [http/1.1]"]), ...(site.tls13 ? [] : ['maxVersion: "1.2"'])];
  if (tls.length > 0) lines.push(`    tls: { ${tls.join(", ")} }`);
  return lines;
}

function bindingText({ protocol, address, port, host, file }: WrittenBinding): string {
  const usual = port === (protocol === "https" ? 443 : 80);
  if (address === "*" && file === undefined) return `${protocol}://${host ?? "*"}${usual ? "" : `:${port}`}`;
  const fields = [`protocol: ${protocol}`, `port: ${port}`];
  if (address !== "*") fields.push(`address: ${quoted(address)}`);
  if (host !== undefined || (protocol === "https" && file === undefined)) fields.push(`host: ${quoted(host ?? "*")}`);
  if (file !== undefined) fields.push("sni: false", `certificate: ${quoted(file)}`);
  return `{ ${fields.join(", ")} }`;
}

function serviceText(service: WrittenService): string {
  if (service.kind === "redirect")
    return `redirect: { to: ${quoted(service.to)}, status: ${service.status}, keepPath: ${service.keepPath} }`;
  const { folder, index } = service;
  if (index.length === 1 && index[0] === "index.html") return `content: ${scalar(folder)}`;
  return `content: { folder: ${scalar(folder)}, index: [${index.map(quoted).join(", ")}] }`;
}

/** How a place reads in a note. */
export const placeText = ({ protocol, address, port, host }: WrittenBinding): string =>
  `${protocol} ${host ?? "any host"} on ${address === "*" ? `port ${port}` : formatEndpoint({ address, port })}`;

/** JSON texts are YAML texts, but for line ends that only YAML 1.1 knows. */
const quoted = (text: string): string =>
  JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028\u2029\ufeff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** A name without quotes where it cannot be read as anything else. */
const scalar = (name: string): string =>
  /^[A-Za-z][A-Za-z0-9_-]*$/.test(name) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(name) ? name : quoted(name);
