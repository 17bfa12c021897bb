import { FarmError } from "../../../base/index.ts";

/**
 * The lines of a stream of octets, without empty ones. What is behind the last newline when the stream ends is dropped: it was cut.
 * @throws STORE_CORRUPT for a line that is too long
 */
export async function* readLines(source: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of source) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      const line = Buffer.concat(parts).toString("utf8").trim();
      [parts, size, from] = [[], 0, end + 1];
      if (line !== "") yield line;
    }
    if (from < chunk.byteLength) parts.push(chunk.subarray(from));
    size += chunk.byteLength - from;
    if (size > maxBytes) throw new FarmError("STORE_CORRUPT", `etcd sent a line of more than ${maxBytes} octets`);
  }
}
