import { TLS_VERSIONS, type TlsVersion } from "../tls-versions.ts";
import type { Word } from "./words.ts";

/** Options of `bind` that have a value behind them (Configuration Manual, section 5.1): a value can look like an option. */
const VALUED = new Set(
  (
    "accept-netscaler-cip alpn backlog ca-file ca-ignore-err ca-sign-file ca-sign-pass ca-verify-file ciphers ciphersuites client-sigalgs " +
    "crl-file crt crt-ignore-err crt-list curves default-crt ecdhe gid group guid-prefix id interface label level maxconn mode mss name " +
    "namespace nbconn nice npn ocsp-update process proto quic-cc-algo quic-socket severity-output shards sigalgs ssl-max-ver ssl-min-ver " +
    "tcp-md5sig tcp-ss tcp-ut thread tls-ticket-keys uid user verify"
  ).split(" "),
);

/** An option with its value, when it has one. */
export interface BindOption {
  readonly name: string;
  readonly value?: Word;
}

/** The options of a `bind` line or of `ssl-default-bind-options`. */
export function optionsOf(words: readonly Word[]): readonly BindOption[] {
  const options: BindOption[] = [];
  for (let at = 0; at < words.length; at += 1) {
    const name = words[at]?.text ?? "";
    const value = VALUED.has(name) ? words[at + 1] : undefined;
    options.push(value === undefined ? { name } : { name, value });
    if (value !== undefined) at += 1;
  }
  return options;
}

const NAMES: Readonly<Record<string, number>> = { SSLv3: -1, "TLSv1.0": 0, "TLSv1.1": 1, "TLSv1.2": 2, "TLSv1.3": 3 };
const SHORT: Readonly<Record<string, number>> = { sslv3: -1, tlsv10: 0, tlsv11: 1, tlsv12: 2, tlsv13: 3 };
/** What HAProxy begins with since 2.2 when only something else is written. */
const USUAL_LEAST = 2;

interface Range {
  readonly least: number;
  readonly most: number;
  readonly off: ReadonlySet<number>;
}

/** The versions that options allow; undefined when none of them speaks of versions. Later options count. */
export function versionsOf(options: readonly BindOption[]): readonly TlsVersion[] | undefined {
  let range: Range | undefined;
  for (const option of options) range = narrowed(range, option) ?? range;
  if (range === undefined) return undefined;
  const { least, most, off } = range;
  return TLS_VERSIONS.filter((_, index) => index >= least && index <= most && !off.has(index));
}

function narrowed(range: Range | undefined, { name, value }: BindOption): Range | undefined {
  const { least, most, off } = range ?? { least: USUAL_LEAST, most: TLS_VERSIONS.length - 1, off: new Set<number>() };
  const bound = NAMES[value?.text ?? ""];
  if (name === "ssl-min-ver") return bound === undefined ? undefined : { least: bound, most, off };
  if (name === "ssl-max-ver") return bound === undefined ? undefined : { least, most: bound, off };
  const [, verb, version = ""] = /^(no|force)-(sslv3|tlsv1[0-3])$/.exec(name) ?? [];
  const short = SHORT[version];
  if (short === undefined) return undefined;
  return verb === "force" ? { least: short, most: short, off } : { least, most, off: new Set([...off, short]) };
}
