import { open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { Secret } from "../base/index.ts";
import type { LeafFacts } from "../handshake/index.ts";
import type { PreparedCertificate } from "../pki/index.ts";
import { seal, unseal } from "../secrets/index.ts";

/** A version of a file that could be served when it was kept. */
export interface KeptCopy {
  readonly file: string;
  readonly stamp: string;
  readonly leaf: LeafFacts;
  readonly prepared: PreparedCertificate;
}

const HEADER_BYTES = 2_048;

interface Header {
  readonly file: string;
  readonly stamp: string;
}

/** The octets of a copy: a header line in the clear, authenticated, and the sealed rest. */
export function sealCopy(key: Uint8Array, copy: KeptCopy): Buffer {
  const header = JSON.stringify({ file: copy.file, stamp: copy.stamp } satisfies Header);
  const body = { leaf: copy.leaf, chainPem: copy.prepared.chainPem, keyPem: copy.prepared.keyPem.reveal() };
  return Buffer.concat([Buffer.from(`${header}\n`), seal(key, Buffer.from(JSON.stringify(body)), header)]);
}

/** A copy's contents; undefined when it was damaged, changed or belongs to another file. */
export function openCopy(key: Uint8Array, bytes: Buffer, file: string): KeptCopy | undefined {
  const found = headerOf(bytes);
  if (found === undefined || found.header.file !== file) return undefined;
  const plain = unseal(key, bytes.subarray(found.end), bytes.toString("utf8", 0, found.end - 1));
  if (plain === undefined) return undefined;
  const body = JSON.parse(plain.toString("utf8")) as { leaf: LeafFacts; chainPem: string; keyPem: string }; // sealed by us
  return { ...found.header, leaf: body.leaf, prepared: { chainPem: body.chainPem, keyPem: new Secret(body.keyPem) } };
}

function headerOf(bytes: Buffer): { readonly header: Header; readonly end: number } | undefined {
  const newline = bytes.subarray(0, HEADER_BYTES).indexOf(10);
  if (newline < 0) return undefined;
  try {
    const header = JSON.parse(bytes.toString("utf8", 0, newline)) as Partial<Header>; // checked below
    if (typeof header.file !== "string" || typeof header.stamp !== "string") return undefined;
    return { header: { file: header.file, stamp: header.stamp }, end: newline + 1 };
  } catch {
    return undefined;
  }
}

/** The copies there are, oldest first; what is none (left by a killed process) is removed. */
export async function inventory(copies: string, most: number): Promise<readonly { readonly file: string; readonly bytes: number }[]> {
  const found: { file: string; bytes: number; mtimeMs: number }[] = [];
  for (const name of await readdir(copies)) {
    const path = join(copies, name);
    const header = found.length < most && !name.includes(".") ? await readHeader(path) : undefined;
    if (header === undefined) await rm(path, { force: true });
    else found.push(header);
  }
  return found.sort((a, b) => a.mtimeMs - b.mtimeMs);
}

async function readHeader(path: string): Promise<{ file: string; bytes: number; mtimeMs: number } | undefined> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const { size, mtimeMs } = await handle.stat();
    const found = headerOf(buffer.subarray(0, bytesRead));
    return found === undefined ? undefined : { file: found.header.file, bytes: size, mtimeMs };
  } finally {
    await handle.close();
  }
}
