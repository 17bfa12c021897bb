/** The worker thread that opens certificate files: nothing a file does here can hold up a handshake. */
import { parentPort } from "node:worker_threads";

import { Secret } from "../base/index.ts";
import { readCertificateFile } from "../pki/index.ts";
import { yieldToServing } from "../workers/index.ts";
import type { ReadAnswer, ReadRequest } from "./wire.ts";

async function answer(request: ReadRequest): Promise<ReadAnswer> {
  const { id, bytes, keyBytes, passwords, now, limits } = request;
  try {
    const { prepared, ...rest } = await readCertificateFile({
      bytes,
      ...(keyBytes === undefined ? {} : { keyBytes }),
      passwords: passwords.map((password) => new Secret(password)),
      now,
      ...(limits === undefined ? {} : { limits }),
    });
    if (prepared === undefined) return { id, reading: rest };
    return { id, reading: { ...rest, prepared: { chainPem: prepared.chainPem, keyPem: prepared.keyPem.reveal() } } };
  } catch (error) {
    return { id, failed: error instanceof Error ? error.message : String(error) };
  }
}

function say(what: ReadAnswer): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
  parentPort?.postMessage(what);
}

parentPort?.on("message", (request: ReadRequest) => void answer(request).then(say));
yieldToServing();
say({ ready: true });
