import { parseDocument } from "yaml";
import { z } from "zod";

import { FarmError, Secret } from "../base/index.ts";
import type { PasswordTable } from "./password-lookup.ts";

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
