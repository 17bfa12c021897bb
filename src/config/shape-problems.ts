import type { z } from "zod";

import { formatPath, type ConfigPath, type YamlReading } from "./read-yaml.ts";
import { found } from "./scalars.ts";
import { farmSchema } from "./schema.ts";
import { suggest } from "./suggest.ts";
import type { ConfigProblem } from "./types.ts";

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

const KINDS: Readonly<Record<string, string>> = {
  object: "a map",
  record: "a map",
  array: "a list",
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
};

const either = (values: readonly unknown[]): string => [...new Set(values.map(String))].join(", ");

/** zod's error map: sentences of this program's own where a schema has none. */
export function shapeMessage(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return "is missing";
      return `expected ${KINDS[issue.expected] ?? issue.expected}, found ${found(issue.input)}`;
    case "invalid_value":
      return `expected ${issue.values.length === 1 ? "" : "one of "}${either(issue.values)}, found ${found(issue.input)}`;
    case "too_small":
      return issue.origin === "array" ? `needs at least ${issue.minimum}` : `must be ${issue.minimum} or more, found ${found(issue.input)}`;
    case "too_big":
      return issue.origin === "array"
        ? `at most ${issue.maximum} are allowed`
        : `must be ${issue.maximum} or less, found ${found(issue.input)}`;
    case "invalid_key":
      return "is not a port: 1 to 65535";
    default:
      return undefined;
  }
}

/** A path from zod; symbols do not come from YAML. */
const toPath = (path: readonly PropertyKey[]): ConfigPath => path.map((part) => (typeof part === "number" ? part : String(part)));

/** An issue without unions: each union is replaced by the issues of the form that was meant. */
function flatten(issue: Issue, base: readonly PropertyKey[]): readonly Issue[] {
  const path = [...base, ...issue.path];
  if (issue.code !== "invalid_union") return [{ ...issue, path }];
  const forms = issue.errors.map((form) => form.flatMap((each) => flatten(each, path)));
  const meant = forms.filter((form) => !form.some((each) => isWrongForm(each, path.length)));
  const best = meant.toSorted((a, b) => a.length - b.length)[0];
  if (best !== undefined) return best;
  const expected = [
    ...new Set(forms.flatMap((form) => form.map((each) => /^expected (?:one of )?(.*), found /.exec(each.message)?.[1] ?? ""))),
  ];
  const shown = /, found (.*)$/.exec(forms[0]?.[0]?.message ?? "")?.[1] ?? "nothing";
  const message = `expected ${expected.filter((each) => each !== "").join(" or ")}, found ${shown}`;
  return [{ code: "custom", path, message, input: issue.input }];
}

/** The value is of another kind than this form of a union takes. */
const isWrongForm = (issue: Issue, depth: number): boolean =>
  issue.path.length === depth && (issue.code === "invalid_type" || issue.code === "invalid_value");

/** zod's issues as problems with places and suggestions. */
export function shapeProblems(issues: readonly Issue[], yaml: YamlReading): readonly ConfigProblem[] {
  return issues.flatMap((each) => flatten(each, [])).flatMap((issue) => shapeProblem(issue, yaml));
}

function shapeProblem(issue: Issue, yaml: YamlReading): readonly ConfigProblem[] {
  const path = toPath(issue.path);
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...path, key], key, yaml));
  const place = yaml.locate(path, "value");
  const last = path.at(-1);
  const missing = issue.message === "is missing" && typeof last === "string";
  const problem = {
    ...place,
    path: formatPath(path),
    message: missing ? `missing key ${JSON.stringify(last)}` : issue.message,
    severity: "error",
  } as const;
  const meant = issue.code === "invalid_value" ? meantValue(issue, path, yaml) : undefined;
  return [meant === undefined ? problem : { ...problem, suggestion: meant }];
}

function meantValue(issue: Issue & { code: "invalid_value" }, path: ConfigPath, yaml: YamlReading): string | undefined {
  const value = valueAt(yaml.value, path);
  const words = issue.values.filter((each) => typeof each === "string");
  return typeof value === "string" ? suggest(value, words) : undefined;
}

function unknownKey(path: ConfigPath, key: string, yaml: YamlReading): ConfigProblem {
  const parent = path.slice(0, -1);
  const problem = {
    ...yaml.locate(path, "key"),
    path: formatPath(path),
    message: `unknown key ${JSON.stringify(key.slice(0, 60))}`,
    severity: "error",
  } as const;
  const present = valueAt(yaml.value, parent);
  const open = knownKeys(parent).filter((each) => typeof present !== "object" || present === null || !(each in present));
  const meant = suggest(key, open);
  return meant === undefined ? problem : { ...problem, suggestion: meant };
}

function valueAt(value: unknown, path: ConfigPath): unknown {
  let current = value;
  for (const part of path) {
    if (typeof current !== "object" || current === null) return undefined;
    current = (current as Record<string | number, unknown>)[part]; // plain data of readYaml
  }
  return current;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

let schema: JsonSchema | undefined;

/** The keys that an object at this path may have, in the order of the schema. */
function knownKeys(path: ConfigPath): readonly string[] {
  schema ??= farmSchema();
  let forms: readonly JsonSchema[] = [schema];
  for (const part of path) {
    forms = forms.flatMap((form) => {
      const next = typeof part === "number" ? form.items : form.properties?.[part];
      return next === undefined ? [] : [next, ...(next.anyOf ?? [])];
    });
  }
  return forms.flatMap((form) => Object.keys(form.properties ?? {}));
}
