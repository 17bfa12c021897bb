/** Encodings that are made here, best first. */
export type Encoding = "br" | "gzip" | "identity";

const chosen = new Map<string, Encoding>();
const REMEMBERED = 512;

/** The encoding to use for an Accept-Encoding field (RFC 9110 section 12.5.3): the best one with a weight above 0. */
export function chooseEncoding(field: string): Encoding {
  if (field === "") return "identity";
  const known = chosen.get(field);
  if (known !== undefined) return known;
  const encoding = choose(field);
  // Clients send few different fields; a hostile variety only empties the memory.
  if (chosen.size >= REMEMBERED) chosen.clear();
  chosen.set(field, encoding);
  return encoding;
}

function choose(field: string): Encoding {
  const weights = new Map<string, number>();
  for (const item of field.toLowerCase().split(",", 32)) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith("q="));
    const value = weight === undefined ? 1 : Number(weight.slice(2));
    weights.set(name, value >= 0 && value <= 1 ? value : 0);
  }
  const weigh = (name: string): number => weights.get(name) ?? weights.get("*") ?? 0;
  // Equal weights: br, being smaller.
  const [br, gzip] = [weigh("br"), Math.max(weigh("gzip"), weights.get("x-gzip") ?? 0)];
  const best = br >= gzip ? "br" : "gzip";
  const identity = weights.get("identity") ?? 0;
  return Math.max(br, gzip) > 0 && Math.max(br, gzip) >= identity ? best : "identity";
}
