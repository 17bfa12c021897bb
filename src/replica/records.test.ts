import * as fc from "fast-check";
import { expect, it } from "vitest";

import { FarmError } from "../base/index.ts";
import type { Entry, Rev } from "../store/index.ts";
import { readPointer } from "./content-pointer.ts";
import { decodeManifest } from "./manifest.ts";
import { decodeReport, encodeReport } from "./report-record.ts";
import { decodeAnswer, decodeRequest } from "./request-record.ts";
import { decodeRevision } from "./revision-record.ts";
import { reportOf } from "./testing/report.ts";

const entryOf = (value: Uint8Array): Entry => ({ key: "nodes/web1", value, rev: "1" as Rev }); // any rev

const DECODERS: readonly (readonly [string, (bytes: Uint8Array) => unknown])[] = [
  ["pointer", (bytes) => readPointer(undefined, entryOf(bytes))],
  ["manifest", (bytes) => decodeManifest(bytes, "www")],
  ["report", (bytes) => decodeReport(entryOf(bytes))],
  ["answer", (bytes) => decodeAnswer(entryOf(bytes))],
  ["request", (bytes) => decodeRequest(entryOf(bytes))],
  ["revision", (bytes) => decodeRevision(bytes, "x")],
];

/** Decodes, or says that the record is damaged; anything else fails the test. */
function tryDecode(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): void {
  try {
    decode(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(FarmError);
    expect(error).toMatchObject({ code: "STORE_CORRUPT" });
  }
}

it.each(DECODERS)("a %s of any bytes or any JSON is read or told as damaged, nothing else", (_name, decode) => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => tryDecode(decode, bytes)));
  fc.assert(fc.property(fc.json(), (json) => tryDecode(decode, new TextEncoder().encode(json))));
});

it("a report with any one field of another kind is told as damaged or is readable", () => {
  const fields = fc.constantFrom(...Object.keys(reportOf("web1")));
  fc.assert(
    fc.property(fields, fc.jsonValue(), (name, value) => {
      tryDecode((bytes) => decodeReport(entryOf(bytes)), new TextEncoder().encode(JSON.stringify({ ...reportOf("web1"), [name]: value })));
    }),
  );
  expect(decodeReport(entryOf(new TextEncoder().encode(JSON.stringify(reportOf("web1")))))).toEqual(reportOf("web1"));
});

it("a report is stored packed, and one that is cut off anywhere is told as damaged", () => {
  const packed = encodeReport(reportOf("web1"));
  expect(decodeReport(entryOf(packed))).toEqual(reportOf("web1"));
  for (let length = 0; length < packed.byteLength; length += 1) {
    expect(() => decodeReport(entryOf(packed.subarray(0, length)))).toThrow(expect.objectContaining({ code: "STORE_CORRUPT" }) as Error);
  }
});
