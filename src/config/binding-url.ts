import { formatEndpoint, parseHostPattern, parseIpAddress, parsePort, toUnicodeHost, type HostPattern } from "../base/index.ts";
import type { Binding } from "../bindings/index.ts";

/** The port a protocol has when none is written. */
export const DEFAULT_PORT = { http: 80, https: 443 } as const;

/** A host as farm.yaml has it (`*` = any), or what is wrong with it. */
export function readHost(text: string): { readonly host: HostPattern | undefined } | { readonly problem: string } {
  if (text === "*") return { host: undefined };
  const host = parseHostPattern(text);
  if (host !== undefined) return { host };
  if (parseIpAddress(text) !== undefined)
    return { problem: `${quote(text)} is an address: write \`address: ${text}\`, and the host name here` };
  if (/^https?:\/\//i.test(text)) return { problem: `${quote(text)} is a URL: write the host name alone` };
  if (text.indexOf("*") > 0 || text.lastIndexOf("*") > 0)
    return { problem: `${quote(text)}: \`*\` stands for the whole first label only, as in *.example.com` };
  if (/:\d+$/.test(text)) return { problem: `${quote(text)} has a port: write it as \`port\`` };
  return { problem: `${quote(text)} is not a host name` };
}

const quote = (text: string): string => JSON.stringify(text.slice(0, 100));

/** The short form: `https://www.example.com`, `http://*:8080`; central certificates and SNI on https. */
export function parseBindingUrl(text: string): Binding | { readonly problem: string } {
  const match = /^(https?):\/\/([^/?#@]*?)(?::([^:/?#@\]]*))?(\/?)$/i.exec(text);
  if (match === null) return { problem: `${quote(text)} is not a binding: write https://HOST, https://HOST:PORT or http://HOST` };
  const protocol = match[1]?.toLowerCase() === "http" ? "http" : "https";
  const port = match[3] === undefined ? DEFAULT_PORT[protocol] : parsePort(match[3]);
  if (port === undefined) return { problem: `${quote(match[3] ?? "")} is not a port: 1 to 65535` };
  const name = match[2] ?? "";
  if (parseIpAddress(name) !== undefined)
    return { problem: `an address is no host name: write { protocol: ${protocol}, address: "${name}", port: ${port} }` };
  const read = readHost(name);
  if ("problem" in read) return read;
  const host = read.host === undefined ? {} : { host: read.host };
  return { protocol, address: "*", port, ...host, sni: protocol === "https", certificate: "central" };
}

/** A binding for people: the short form where it says everything, else with what differs behind it. */
export function formatBinding(binding: Binding): string {
  const host = binding.host === undefined ? "*" : toUnicodeHost(binding.host);
  const url = `${binding.protocol}://${host}${binding.port === DEFAULT_PORT[binding.protocol] ? "" : `:${binding.port}`}`;
  const more: string[] = [];
  if (binding.address !== "*") more.push(`at ${formatEndpoint({ address: binding.address, port: binding.port })}`);
  if (binding.protocol === "https" && !binding.sni) more.push("SNI not required");
  if (binding.certificate !== "central") more.push(`certificate ${binding.certificate.file}`);
  return more.length === 0 ? url : `${url} (${more.join(", ")})`;
}
