import { run } from "../run.ts";

/** Requests that one curl makes, one after another. */
export interface CurlRequests {
  readonly urls: readonly string[];
  /** Address to dial in place of each name's. @default "127.0.0.1" */
  readonly address?: string;
  readonly caFile: string;
  readonly options?: readonly string[];
}

/** What curl saw of one URL. `verified`: the chain and the name were accepted; `error`: curl's own words when it failed. */
export interface CurlAnswer {
  readonly url: string;
  readonly status: number;
  readonly httpVersion: string;
  readonly remote: string;
  readonly verified: boolean;
  readonly error: string | undefined;
  readonly body: string;
  readonly headers: ReadonlyMap<string, string>;
}

/** curl's variables of these names (`--write-out '%{json}'`). */
interface Written {
  readonly response_code: number;
  readonly http_version: string;
  readonly remote_ip: string;
  readonly ssl_verify_result: number;
  readonly exitcode: number;
  readonly errormsg: string | null;
}

const [MARK, END] = ["\u0001written:", "\u0001end\n"];

/** Runs curl; it never follows redirects, and goes on after a URL that fails. */
export async function curlAll(requests: CurlRequests): Promise<readonly CurlAnswer[]> {
  const address = requests.address?.includes(":") ? `[${requests.address}]` : (requests.address ?? "127.0.0.1");
  const places = requests.urls.map((url) => placeOf(new URL(url)));
  const common = ["--silent", "--include", "--max-time", "20", "--cacert", requests.caFile, "--write-out", `${MARK}%{json}${END}`];
  const resolving = [...new Set(places)].flatMap((place) => ["--resolve", `${place}:${address}`]);
  const args = [...common, ...resolving, ...(requests.options ?? []), ...requests.urls];
  const { stdout, stderr } = await run("curl", args, { timeoutMs: 90_000 });
  const answers = stdout.split(END).slice(0, -1);
  if (answers.length !== requests.urls.length)
    throw new Error(`curl answered ${answers.length} of ${requests.urls.length} URLs: ${stderr}`);
  return answers.map((text, index) => readAnswer(requests.urls[index] ?? "", text));
}

/** One request. */
export async function curl({ url, ...rest }: Omit<CurlRequests, "urls"> & { readonly url: string }): Promise<CurlAnswer> {
  const [answer] = await curlAll({ ...rest, urls: [url] });
  if (answer === undefined) throw new Error("curl gave no answer");
  return answer;
}

const placeOf = ({ hostname, port, protocol }: URL): string => `${hostname}:${port || (protocol === "http:" ? 80 : 443)}`;

function readAnswer(url: string, text: string): CurlAnswer {
  const [answer = "", written = "{}"] = text.split(MARK);
  const facts = JSON.parse(written) as Written; // documented by curl
  const [head = "", ...body] = answer.split("\r\n\r\n");
  const lines = head.split("\r\n").slice(1);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    url,
    status: facts.response_code,
    httpVersion: facts.http_version,
    remote: facts.remote_ip,
    verified: facts.exitcode === 0 && facts.ssl_verify_result === 0,
    error: facts.exitcode === 0 ? undefined : (facts.errormsg ?? `exit code ${facts.exitcode}`),
    body: body.join("\r\n\r\n"),
    headers: new Map(headers),
  };
}
