import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";

import { FarmError, systemCode } from "../base/index.ts";
import { createTable, parseRowKey, rowKeyText, type BindingTable, type Row } from "../bindings/index.ts";

/** The binding table on the node's own disk. */
export interface TableFile {
  /** undefined = never written. @throws NODE_TABLE_DAMAGED */
  load(): Promise<BindingTable | undefined>;
  /** Whole or not at all: temporary file, fsync, rename. @throws NODE_DISK */
  save(table: BindingTable): Promise<void>;
}

interface RowOnDisk {
  readonly key: string;
  readonly file?: string;
  readonly origin: Row["origin"];
  readonly appId: string;
}

const toDisk = (row: Row): RowOnDisk => ({
  key: rowKeyText(row.key),
  origin: row.origin,
  appId: row.appId,
  ...(row.file === undefined ? {} : { file: row.file }),
});

const fromDisk = (row: RowOnDisk): Row => ({
  key: parseRowKey(row.key),
  origin: row.origin,
  appId: row.appId,
  ...(row.file === undefined ? {} : { file: row.file }),
});

/** The table in `bindings.json` below a node's data directory. */
export function createTableFile(dataDir: string): TableFile {
  const path = join(dataDir, "bindings.json");
  return {
    async load() {
      const text = await readFile(path, "utf8").catch((error: unknown) => {
        if (systemCode(error) === "ENOENT") return undefined;
        throw new FarmError("NODE_DISK", `${path} cannot be read: ${systemCode(error) ?? String(error)}`, { cause: error });
      });
      if (text === undefined) return undefined;
      try {
        const parsed = JSON.parse(text) as { readonly rows: readonly RowOnDisk[] }; // written by save(); createTable and parseRowKey check it
        return createTable(parsed.rows.map(fromDisk));
      } catch (error) {
        throw new FarmError("NODE_TABLE_DAMAGED", `${path} is damaged`, { cause: error, facts: { path } });
      }
    },
    async save(table) {
      const temporary = `${path}.${process.pid}.tmp`;
      try {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        const file = await open(temporary, "w", 0o600);
        try {
          await file.writeFile(`${JSON.stringify({ rows: table.rows.map(toDisk) }, undefined, 2)}\n`);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, path);
      } catch (error) {
        throw new FarmError("NODE_DISK", `${path} cannot be written: ${systemCode(error) ?? String(error)}`, {
          cause: error,
          facts: { path },
        });
      }
    },
  };
}
