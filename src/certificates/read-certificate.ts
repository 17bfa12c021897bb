import type { FileReading } from "../pki/index.ts";
import { ReadingPool, type PoolInput, type WorkerSettings } from "./reading-pool.ts";

/** Opens one certificate file, key and all, in a thread of its own. The reading is secret: it holds the key. */
export async function readCertificate(input: PoolInput, workers?: WorkerSettings): Promise<FileReading> {
  const pool = new ReadingPool(workers);
  try {
    return await pool.read(input);
  } finally {
    await pool.close();
  }
}
