/**
 * Joins the compiled command and its worker threads, with the libraries they use, into a few files in dist/bin/: a node that starts reads
 * these instead of 300 modules one by one, which took longer than everything else it does before its first handshake (docs/decisions/0013).
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

import { rolldown } from "rolldown";

const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;

/** @param dist the folder that tsc wrote */
export async function bundle(dist) {
  const entries = [join(dist, "app/main.js"), ...workers(dist)];
  const build = await rolldown({
    input: Object.fromEntries(entries.map((path) => [basename(path, ".js"), path])),
    platform: "node",
    logLevel: "warn",
  });
  const { output } = await build.write({
    dir: join(dist, "bin"),
    format: "esm",
    // All in one folder, as deep as dist/app: workers and package.json are found beside and above whatever file asks for them.
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
  });
  await build.close();
  const used = new Set(
    output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : [])).flatMap((id) => PACKAGE.exec(id)?.[0] ?? []),
  );
  writeFileSync(join(dist, "bin/LICENSES.txt"), [...used].toSorted().map(notice).join("\n"));
}

/** Entries of threads: `src/<room>/<name>-worker.ts`. */
const workers = (dist) =>
  readdirSync(dist, { recursive: true })
    .filter((path) => /^[a-z]+\/[a-z-]+-worker\.js$/.test(path))
    .map((path) => join(dist, path));

/** The library's name, version and licence text. */
function notice(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  return `${name} ${version} (${license})\n\n${file === undefined ? "" : readFileSync(join(folder, file), "utf8")}\n`;
}
