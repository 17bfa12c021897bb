import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A temporary folder in which command-line tools make and read certificate files. */
export class ToolFolder {
  readonly path = mkdtempSync(join(tmpdir(), "certfarm-pki-"));

  /** Runs a tool in the folder. @throws with the tool's own error output */
  run(tool: string, ...args: readonly string[]): string {
    return execFileSync(tool, args, { cwd: this.path, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 20_000 });
  }

  /** Runs `openssl` with arguments separated by single spaces. */
  openssl(command: string, ...more: readonly string[]): string {
    return this.run("openssl", ...command.split(" "), ...more);
  }

  read(name: string): Buffer {
    return readFileSync(join(this.path, name));
  }

  write(name: string, content: string | Uint8Array): void {
    writeFileSync(join(this.path, name), content);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
