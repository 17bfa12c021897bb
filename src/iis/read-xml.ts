import { SaxesParser } from "saxes";

import { FarmError } from "../base/index.ts";
import { tooLarge } from "./decode-text.ts";
import { TextPool } from "./text-pool.ts";

/** An element as data. Text between elements means nothing in IIS's configuration and is not kept; what is secret is sealed. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Of the end of its start tag, from 1. */
  readonly line: number;
}

/** What stands in the place of a value that is encrypted, or would have to be. */
const SEALED = "(sealed)";

/** IIS's own configuration nests 8 deep. */
const MAX_DEPTH = 64;

/** 10,000 sites with their locations have about 150,000 elements. */
const MAX_ELEMENTS = 500_000;

/** The longest that any element of IIS's schema can have is about 40. */
const MAX_ATTRIBUTES = 500;

interface OpenElement {
  name: string;
  attributes: Readonly<Record<string, string>>;
  children: XmlElement[];
  line: number;
}

/**
 * The root element of an XML text. Document type declarations are refused, so entities are the five of XML itself and expand to one
 * character each. Depth and number of elements are bounded while reading.
 * @throws IIS_CONFIG_MALFORMED with the facts `line` and `column`, IIS_INPUT_TOO_LARGE; both name the file
 */
export function readXml(text: string, name: string): XmlElement {
  const parser = new SaxesParser<{ xmlns: false; position: true }>({ xmlns: false, position: true });
  const malformed = (problem: string): FarmError => {
    const { line, column } = parser;
    return new FarmError("IIS_CONFIG_MALFORMED", `${name}: line ${line}, column ${column}: ${problem}`, {
      facts: { file: name, line, column },
    });
  };
  const document: OpenElement = { name: "", attributes: {}, children: [], line: 0 };
  const open: OpenElement[] = [document];
  const pool = new TextPool();
  let elements = 0;
  parser.on("error", (error) => {
    throw malformed(problemOf(error.message, text));
  });
  parser.on("doctype", () => {
    throw malformed("a document type declaration has no place in IIS's configuration and is not read");
  });
  parser.on("opentag", (tag) => {
    elements += 1;
    if (elements > MAX_ELEMENTS) throw tooLarge(name, `has more than ${MAX_ELEMENTS} elements`);
    if (open.length > MAX_DEPTH) throw tooLarge(name, `nests deeper than ${MAX_DEPTH} elements`);
    if (Object.keys(tag.attributes).length > MAX_ATTRIBUTES)
      throw tooLarge(name, `has an element with more than ${MAX_ATTRIBUTES} attributes`);
    const element = { name: pool.get(tag.name), attributes: seal(tag.name, tag.attributes, pool), children: [], line: parser.line };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.write(text).close();
  const [root] = document.children;
  if (root === undefined) throw malformed("there is no element");
  return root;
}

/** Without the place, which the caller has, and in plain words for what torn copies look like. */
function problemOf(message: string, text: string): string {
  const bare = message.replace(/^\d+:\d+: /, "").replace(/\.$/, "");
  if (text.trim() === "") return "the file is empty";
  if (text.startsWith("\u0000")) return "the file begins with zero octets, as copies that were cut off do";
  return bare.startsWith("unclosed tag") || bare.startsWith("unexpected end") ? `the file breaks off (${bare})` : bare;
}

const SECRET_NAME = /password|passphrase|secret|token|sessionkey|validationkey|decryptionkey|connectionstring/i;
const SECRET_HOLDER = new Set(["environmentvariable", "add"]);

/** Encrypted values stay encrypted and never leave; values that may be secret though they stand there in clear do not either. */
function seal(element: string, attributes: Readonly<Record<string, string>>, pool: TextPool): Readonly<Record<string, string>> {
  const holds = SECRET_HOLDER.has(element.toLowerCase()) && holdsSecret(element, attributes);
  return Object.fromEntries(
    Object.entries(attributes).map(([attribute, value]) => {
      const secret = value.startsWith("[enc:") || SECRET_NAME.test(attribute) || (holds && attribute === "value");
      return [pool.get(attribute), secret ? SEALED : pool.get(value)];
    }),
  );
}

/** Environment variables hold what they like; `add` tells by its name or key. */
const holdsSecret = (element: string, { name, key }: Readonly<Record<string, string>>): boolean =>
  element !== "add" || SECRET_NAME.test(name ?? key ?? "");
