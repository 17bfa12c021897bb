import { parseDocument } from "yaml";
import { z } from "zod";

import { FarmError, Secret } from "../base/index.ts";

/** A password file's contents. */
export interface PasswordTable {
  /** Tried for every file. */
  readonly everyFile: readonly Secret[];
  /** File names or patterns (`*`, `?`), lower case and NFC, in the file's order. */
  readonly files: readonly { readonly pattern: string; readonly passwords: readonly Secret[] }[];
}

const PASSWORDS = z.union([z.string(), z.array(z.string()).max(16)]);
const SCHEMA = z.strictObject({ everyFile: PASSWORDS.optional(), files: z.record(z.string().max(255), PASSWORDS).optional() });

/**
 * Parses YAML (or JSON, which is YAML): `everyFile:` one password or a list, `files:` a map from file name or pattern to the same.
 * Messages name places, never values. @throws CERTIFICATES_PASSWORDS_INVALID
 */
export function parsePasswordFile(text: string, path: string): PasswordTable {
  const document = parseDocument(text);
  const broken = document.errors[0];
  if (broken !== undefined) {
    const line = broken.linePos?.[0].line ?? 1;
    throw new FarmError("CERTIFICATES_PASSWORDS_INVALID", `${path}, line ${line}: it is not YAML (${broken.code})`);
  }
  const parsed = SCHEMA.safeParse(document.toJS({ maxAliasCount: 0 }) ?? {});
  if (!parsed.success) throw new FarmError("CERTIFICATES_PASSWORDS_INVALID", `${path}: ${places(parsed.error)}`);
  const { everyFile = [], files = {} } = parsed.data;
  const rows = Object.entries(files).map(([name, passwords]) => ({
    pattern: name.normalize("NFC").toLowerCase(),
    passwords: secrets(passwords),
  }));
  return { everyFile: secrets(everyFile), files: rows };
}

/** Whether a name fits a pattern of `*` (any characters) and `?` (one). No regular expression: no pattern can make it slow. */
export function matchesGlob(pattern: string, name: string): boolean {
  let p = 0;
  let star = -1;
  let resume = 0;
  for (let n = 0; n < name.length;) {
    const want = pattern[p];
    if (want === "*") {
      star = p++;
      resume = n;
    } else if (want === "?" || want === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p += 1;
  return p === pattern.length;
}

function secrets(passwords: string | readonly string[]): readonly Secret[] {
  return (typeof passwords === "string" ? [passwords] : passwords).map((password) => new Secret(password));
}

/** Where it is wrong and what was expected; zod's own messages could quote a value. */
function places(error: z.ZodError): string {
  return error.issues
    .slice(0, 5)
    .map(
      (issue) =>
        `${issue.path.join(".") || "the file"}: ${issue.code === "unrecognized_keys" ? `unknown key ${issue.keys.join(", ")}` : "expected a password or a list of passwords"}`,
    )
    .join("; ");
}
