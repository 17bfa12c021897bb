import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder with these files, removed by `close`. */
export function folderOf(files: Readonly<Record<string, string>>): { readonly path: string; readonly close: () => void } {
  const path = mkdtempSync(join(tmpdir(), "peers-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  return { path, close: () => rmSync(path, { recursive: true }) };
}

/** A self-signed certificate and its key in one PEM text. */
export function selfSigned(): string {
  return execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-days",
      "30",
      "-subj",
      "/CN=www.example.com",
      "-keyout",
      "-",
    ],
    { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" },
  );
}
