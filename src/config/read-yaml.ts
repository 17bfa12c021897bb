import {
  Composer,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  type Range,
  type YAMLMap,
} from "yaml";

import type { ConfigProblem } from "./types.ts";

/** Octets of UTF-8 that a farm.yaml may have. */
export const MAX_YAML_BYTES = 4 * 1024 * 1024;
/** Levels of nesting; the reader recurses, so this protects the stack. A farm needs 7. */
const MAX_DEPTH = 32;
const MAX_ALIASES = 100;
/** Values after aliases are followed; 4 MiB of text without aliases has fewer. */
const MAX_VALUES = 2_200_000;

/** Where something is: keys and list positions from the top. */
export type ConfigPath = readonly (string | number)[];

/** Counts from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A YAML text as plain data, with the way back from a path to its place in the text. */
export interface YamlReading {
  /** Objects have no prototype, so a key such as `__proto__` is an ordinary one. undefined when the text could not be read. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** The place of a value, or of its key; the nearest thing around it when it is not in the text. */
  locate(path: ConfigPath, what: "key" | "value"): Position;
}

/** `sites[2].bindings[0]`; keys that are no plain words are quoted. */
export function formatPath(path: ConfigPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[\w-]{1,60}$/.test(part)) text += text === "" ? part : `.${part}`;
    else text += `[${JSON.stringify(part.slice(0, 60))}]`;
  }
  return text;
}

/** A reading that ended before there was any value. */
function unreadable(message: string, position: Position = { line: 1, column: 1 }): YamlReading {
  return { value: undefined, problems: [{ ...position, path: "", message, severity: "error" }], locate: () => position };
}

/**
 * Reads one YAML 1.2 (core schema) document: at most 4 MiB, 32 levels, 100 aliases; duplicate keys, tags, further documents and
 * keys that are not plain values are problems. Never throws.
 */
export function readYaml(text: string): YamlReading {
  if (text.length > MAX_YAML_BYTES || new TextEncoder().encode(text).length > MAX_YAML_BYTES) {
    return unreadable(`the file is larger than 4 MiB (${text.length} characters)`);
  }
  const lines = new LineCounter();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const documents = compose(text, lines);
  if (typeof documents === "number") return unreadable(`nested more than ${MAX_DEPTH} levels deep`, at(documents));
  const document = documents[0];
  if (document === undefined) return unreadable("the file is empty");
  const problems = documents.flatMap((each) => [...each.errors, ...each.warnings]).map((each) => syntaxProblem(each, at));
  const second = documents[1];
  if (second !== undefined) problems.push(problemAt(at(second.range[0]), "one document only: remove the `---` and what follows it"));
  if (problems.length > 0) return { value: undefined, problems, locate: () => ({ line: 1, column: 1 }) };
  const conversion = new Conversion(document, at);
  const value = conversion.convert(document.contents, [], 0);
  const places: Places = { document, keys: new Map() };
  const locate = (path: ConfigPath, what: "key" | "value"): Position => at(offsetOf(places, path, what));
  return { value: conversion.complete ? value : undefined, problems: conversion.problems, locate };
}

/** The documents, or the offset at which the text is nested too deep. Anything after the second document is not looked at. */
function compose(text: string, lines: LineCounter): Document.Parsed[] | number {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let tooDeepAt: number | undefined;
  function* tokens(): Generator<Parameters<Composer["next"]>[0]> {
    // Without a last line end the lexer would search for one to the end of the text at every token of the last line.
    for (const lexeme of new Lexer().lex(text.endsWith("\n") ? text : `${text}\n`)) {
      yield* parser.next(lexeme);
      // A level takes up to two entries: the collection, and what is in the making inside it.
      if (parser.stack.length > 2 * MAX_DEPTH) {
        tooDeepAt = parser.offset;
        return;
      }
    }
    yield* parser.end();
  }
  // uniqueKeys compares every key with every other one; Conversion does it with a set.
  const composer = new Composer({
    version: "1.2",
    schema: "core",
    resolveKnownTags: false,
    uniqueKeys: false,
    merge: false,
    logLevel: "silent",
  });
  const documents: Document.Parsed[] = [];
  for (const document of composer.compose(tokens(), true, text.length)) {
    documents.push(document);
    if (documents.length === 2) break;
  }
  return tooDeepAt ?? documents;
}

function problemAt(position: Position, message: string, path: ConfigPath = []): ConfigProblem {
  return { ...position, path: formatPath(path), message, severity: "error" };
}

function syntaxProblem(
  error: { readonly code: string; readonly message: string; readonly pos: readonly [number, number] },
  at: (offset: number) => Position,
): ConfigProblem {
  const message = error.code === "TAG_RESOLVE_FAILED" ? `tags are not used here (${error.message})` : error.message;
  return problemAt(at(error.pos[0]), `not valid YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`);
}

/** Nodes → plain data, counting what it makes. */
class Conversion {
  readonly problems: ConfigProblem[] = [];
  /** False when it gave up. */
  complete = true;
  readonly #document: Document.Parsed;
  readonly #at: (offset: number) => Position;
  #values = 0;
  #aliases = 0;

  constructor(document: Document.Parsed, at: (offset: number) => Position) {
    this.#document = document;
    this.#at = at;
  }

  convert(node: unknown, path: ConfigPath, depth: number): unknown {
    if (!this.complete) return undefined;
    this.#values += 1;
    if (this.#values > MAX_VALUES || depth > MAX_DEPTH) return this.#giveUp(node, path, "the aliases (`*name`) stand for too much");
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((item, index) => this.convert(item, [...path, index], depth + 1));
    if (isMap(node)) return this.#map(node.items, path, depth);
    if (isAlias(node)) {
      this.#aliases += 1;
      if (this.#aliases > MAX_ALIASES) return this.#giveUp(node, path, `more than ${MAX_ALIASES} aliases (\`*name\`)`);
      return this.convert(node.resolve(this.#document), path, depth + 1);
    }
    return null;
  }

  #map(items: readonly { readonly key: unknown; readonly value: unknown }[], path: ConfigPath, depth: number): unknown {
    const object: Record<string, unknown> = Object.create(null);
    const seen = new Set<string>();
    for (const { key, value } of items) {
      const name = keyOf(key);
      if (name === undefined) {
        this.#report(key, path, "a key must be a plain word or number");
        continue;
      }
      if (seen.has(name)) this.#report(key, [...path, name], `duplicate key ${JSON.stringify(name.slice(0, 60))}`);
      else object[name] = this.convert(value, [...path, name], depth + 1);
      seen.add(name);
    }
    return object;
  }

  #report(node: unknown, path: ConfigPath, message: string): void {
    this.problems.push(problemAt(this.#at(startOf(node) ?? 0), message, path));
  }

  #giveUp(node: unknown, path: ConfigPath, message: string): undefined {
    this.complete = false;
    this.#report(node, path, message);
    return undefined;
  }
}

function keyOf(node: unknown): string | undefined {
  if (!isScalar(node)) return undefined;
  return typeof node.value === "string" || typeof node.value === "number" || typeof node.value === "boolean"
    ? String(node.value)
    : undefined;
}

function startOf(node: unknown): number | undefined {
  const range = (node as { range?: Range | null } | null | undefined)?.range; // every parsed node has one
  return range?.[0];
}

/** What finds places: the keys of a map are indexed once it is asked for. */
interface Places {
  readonly document: Document.Parsed;
  readonly keys: Map<YAMLMap, ReadonlyMap<string, Entry>>;
}

/** A key and its value, as far as they are in the text. */
interface Entry {
  readonly key?: unknown;
  readonly value?: unknown;
}

function keysOf(map: YAMLMap): ReadonlyMap<string, Entry> {
  // The first of duplicate keys is the one whose value counts.
  return new Map(map.items.toReversed().map((pair) => [keyOf(pair.key) ?? "", pair]));
}

/** One step down. */
function step({ document, keys }: Places, node: unknown, part: string | number): Entry {
  const inner = isAlias(node) ? node.resolve(document) : (node as Node | null); // document contents are nodes
  if (isSeq(inner)) return { value: inner.items[Number(part)] };
  if (!isMap(inner)) return {};
  const known = keys.get(inner) ?? keysOf(inner);
  keys.set(inner, known);
  return known.get(String(part)) ?? {};
}

function offsetOf(places: Places, path: ConfigPath, what: "key" | "value"): number {
  let node: unknown = places.document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, part] of path.entries()) {
    const { key, value } = step(places, node, part);
    const [first, second] = what === "key" && index === path.length - 1 ? [key, value] : [value, key];
    const found = startOf(first) ?? startOf(second);
    if (found === undefined) return offset;
    offset = found;
    node = value;
  }
  return offset;
}
