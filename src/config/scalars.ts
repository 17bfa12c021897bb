import { z } from "zod";

import { parseEndpoint, parseIpAddress } from "../base/index.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "./duration.ts";
import { pathPartProblem } from "./file-name.ts";

/** A reader of text gives a value or says what is wrong. */
type Read<T> = { readonly value: T } | { readonly problem: string };

const shown = (text: string): string => JSON.stringify(text.slice(0, 100));

/** What a value of another type is told to be, and what editors check beforehand (JSON Schema `pattern`). */
interface Form {
  readonly form: string;
  readonly pattern?: string;
}

/** Text with a grammar of its own. */
function text<T>({ form, pattern }: Form, read: (value: string) => Read<T>) {
  const source = z
    .string({ error: (issue) => (issue.input === undefined ? undefined : `expected ${form}, found ${found(issue.input)}`) })
    .meta(pattern === undefined ? {} : { pattern });
  return source.transform((value, context) => {
    const result = read(value);
    if ("value" in result) return result.value;
    context.addIssue(result.problem);
    return z.NEVER;
  });
}

/** A value as a message shows it. */
export function found(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  return typeof value === "string" ? shown(value) : `${value as number | boolean}`; // what else YAML has
}

/** `30s`, `5m`, `1y` within bounds → milliseconds. */
export const duration = (least: string, most: string) =>
  text({ form: "a duration such as 30s, 5m or 1y", pattern: String.raw`^(0|[1-9]\d*)(ms|s|m|h|d|w|y)$` }, (value) => {
    const ms = parseDuration(value);
    if (ms === undefined)
      return { problem: `${shown(value)} is not a duration: write a whole number and ms, s, m, h, d, w or y, such as 30s` };
    const [min, max] = [parseDuration(least) ?? 0, parseDuration(most) ?? 0];
    return ms < min || ms > max ? { problem: `${formatDuration(ms)} is out of bounds: ${least} to ${most}` } : { value: ms };
  });

/** `10MB`, `64KiB` within bounds → octets. */
export const size = (least: string, most: string) =>
  text({ form: "a size such as 64KiB or 10MB", pattern: String.raw`^(0|[1-9]\d*)(B|kB|KB|MB|GB|KiB|MiB|GiB)$` }, (value) => {
    const bytes = parseSize(value);
    if (bytes === undefined)
      return { problem: `${shown(value)} is not a size: write a whole number and B, kB, MB, GB, KiB, MiB or GiB, such as 64KiB` };
    const [min, max] = [parseSize(least) ?? 0, parseSize(most) ?? 0];
    return bytes < min || bytes > max ? { problem: `${formatSize(bytes)} is out of bounds: ${least} to ${most}` } : { value: bytes };
  });

/** An IPv4 or IPv6 address, brackets allowed. */
export const ipAddress = text({ form: "an IP address such as 10.0.0.4", pattern: String.raw`^\[?[0-9A-Fa-f:.]+\]?$` }, (value) => {
  const address = parseIpAddress(value);
  return address === undefined ? { problem: `${shown(value)} is not an IP address` } : { value: address };
});

/** `10.0.0.4:8081` or `[::1]:8081`. */
export const endpoint = text(
  { form: "IP:PORT such as 10.0.0.4:8081", pattern: String.raw`^([0-9.]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$` },
  (value) => {
    const parsed = parseEndpoint(value);
    return parsed === undefined
      ? { problem: `${shown(value)} is not IP:PORT, such as 10.0.0.4:8081 or [2001:db8::4]:8081` }
      : { value: parsed };
  },
);

/** An address or a range in CIDR form, as text in normal form. */
export const addressRange = text(
  { form: "an address or a range such as 10.0.0.0/24", pattern: String.raw`^[0-9A-Fa-f:.]+(/\d{1,3})?$` },
  (value) => {
    const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(value);
    const address = parseIpAddress(match?.[1] ?? "");
    const bits = match?.[2] === undefined ? undefined : Number(match[2]);
    if (address === undefined || (bits !== undefined && bits > (address.includes(":") ? 128 : 32))) {
      return { problem: `${shown(value)} is not an address or a range such as 10.0.0.0/24` };
    }
    return { value: bits === undefined ? address : `${address}/${bits}` };
  },
);

/** One part of a path, with a form of its own. */
const part = (form: string, extensions: readonly string[] = []) =>
  text(extensions.length === 0 ? { form } : { form, pattern: endingPattern(extensions) }, (value) => {
    const problem = pathPartProblem(value);
    if (problem !== undefined) return { problem: `${shown(value)} ${problem}` };
    const fits = extensions.length === 0 || extensions.some((each) => value.toLowerCase().endsWith(each));
    return fits ? { value } : { problem: `${shown(value)} is not ${form}: it must end with ${extensions.join(", ")}` };
  });

/** `[.][pP][fF][xX]$`: JSON Schema patterns have no flag for case. */
function endingPattern(extensions: readonly string[]): string {
  const anyCase = (char: string): string => (char === "." ? "[.]" : `[${char}${char.toUpperCase()}]`);
  return `(${extensions.map((each) => each.split("").map(anyCase).join("")).join("|")})$`;
}

/** A folder below the store's `content/`. */
export const contentFolder = part("the name of a content folder");
/** A file name such as `index.html`. */
export const fileName = part("a file name");
/** A file of the central certificates. */
export const certificateFile = part("a certificate file", [".pfx", ".p12", ".pem", ".crt", ".cer"]);
/** A file of trusted authorities. */
export const authorityFile = part("a file of authorities in PEM form", [".pem", ".crt", ".cer"]);

/** The name of a farm, node or site: it becomes part of store keys, headers and file names. */
export const name = text({ form: "a name", pattern: String.raw`^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$` }, (value) =>
  /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(value)
    ? { value }
    : { problem: `${shown(value)} is not a name: 1 to 63 letters, digits, dots, - or _, beginning and ending with a letter or digit` },
);

/** A TCP port. */
export const port = z.int().min(1).max(65535);

/** A map of port numbers. */
export const portMap = z.record(z.string().regex(/^[1-9]\d{0,4}$/), port).transform((record, context) => {
  const map: Map<number, number> = new Map();
  for (const [from, to] of Object.entries(record)) {
    if (Number(from) > 65535) context.addIssue({ code: "custom", message: `${from} is not a port: 1 to 65535`, path: [from] });
    else map.set(Number(from), to);
  }
  return map;
});

/** The URL of a server behind a proxy: scheme, host, port. */
export const upstream = text({ form: "a URL such as http://10.0.1.5:8080", pattern: String.raw`^https?://[^/?#@]+/?$` }, (value) => {
  const url = webUrl(value);
  if (url === undefined) return { problem: `${shown(value)} is not a URL such as http://10.0.1.5:8080` };
  if (url.username !== "" || url.password !== "") return { problem: "a URL must not carry a user name or password" };
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
    return { problem: `${shown(value)} must be scheme, host and port only: paths are passed on as they come` };
  return { value: url };
});

/** Where a redirect leads to, as written. */
export const redirectTarget = text({ form: "a URL such as https://www.example.com", pattern: String.raw`^https?://[^/]` }, (value) => {
  const url = webUrl(value);
  if (url === undefined) return { problem: `${shown(value)} is not a URL such as https://www.example.com` };
  if (url.username !== "" || url.password !== "") return { problem: "a URL must not carry a user name or password" };
  if (/[\p{Cc}\p{Z}]/u.test(value)) return { problem: "a URL must not have spaces or control characters" };
  return { value };
});

function webUrl(value: string): URL | undefined {
  if (value.length > 2000 || !/^https?:\/\/[^/]/i.test(value) || !URL.canParse(value)) return undefined;
  return new URL(value);
}

/** The name of a response header (RFC 9110 section 5.1), or `off`, which is one by its form. */
export const headerName = text({ form: "a header name or off" }, (value) => {
  return /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/.test(value) ? { value } : { problem: `${shown(value)} is not a header name` };
});
