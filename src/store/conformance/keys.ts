import { randomBytes } from "node:crypto";

import { describe, expect, it } from "vitest";

import type { Rev } from "../contract.ts";
import { text, plain, sha256, type ConformancePlace } from "./place.ts";

/** Keys and values. */
export function describeKeys(place: ConformancePlace): void {
  const { open } = place;
  describe("keys and values", () => {
    const KEYS = [
      "plain",
      "nodes/web1",
      "nodes/web1/report",
      "certificates/*.example.com",
      "Mixed/Case",
      "mixed/case",
      "MIXED/CASE",
      "bücher/straße/日本語/😀",
      "bu\u0308cher/decomposed",
      "CON",
      "con",
      "con.txt",
      "lpt1/nul",
      "dots./.hidden/a..b/...",
      "space here/ lead/trail ",
      "percent%41/a%2fb",
      'quotes"<>|?*:\\',
      "@1/@2",
      "x".repeat(200),
      "X".repeat(200),
      `${"long".repeat(49)}/${"ü".repeat(200)}`,
      Array.from({ length: 32 }, (_, at) => `part${at}`).join("/"),
      Array.from({ length: 32 }, () => "ÿ".repeat(200)).join("/"),
    ];

    it("keeps every key it takes apart from all others", async () => {
      const { state } = await open();
      for (const key of KEYS) await state.write(key, text(key), undefined);
      const { state: other } = await open();
      for (const key of KEYS) expect(plain((await other.read(key))?.value)).toBe(key);
      const listed = await other.list("");
      expect(listed.map((entry) => entry.key).sort()).toEqual([...KEYS].sort());
      expect(listed.every((entry) => plain(entry.value) === entry.key)).toBe(true);
    });

    it.each([
      ["an empty key", ""],
      ["an empty part", "a//b"],
      ["a slash at the start", "/a"],
      ["a slash at the end", "a/"],
      ["a part that means the same directory", "a/./b"],
      ["a part that means the directory above", "../a"],
      ["a NUL", "a\0b"],
      ["a newline", "a\nb"],
      ["half a surrogate pair", "a\ud800"],
      ["a part of 201 characters", "x".repeat(201)],
      ["33 parts", Array.from({ length: 33 }, () => "p").join("/")],
    ])("refuses %s", async (_name, key) => {
      const { state } = await open();
      const refusal = { code: "STORE_KEY_INVALID" };
      await expect(state.read(key)).rejects.toMatchObject(refusal);
      await expect(state.write(key, text(""), undefined)).rejects.toMatchObject(refusal);
      await expect(state.remove(key, "x" as Rev)).rejects.toMatchObject(refusal); // refused before the rev matters
      if (key !== "") await expect(state.list(key)).rejects.toMatchObject(refusal);
    });

    it("lists below a prefix by whole parts and not the prefix itself", async () => {
      const { state } = await open();
      for (const key of ["a", "a/b", "a/c/d", "ab", "b/a"]) await state.write(key, text("v"), undefined);
      expect((await state.list("a")).map((entry) => entry.key).sort()).toEqual(["a/b", "a/c/d"]);
      expect(await state.list("a/b")).toEqual([]);
      expect(await state.list("nothing")).toEqual([]);
    });

    it("takes values of 0 octets and of 512 KiB, and refuses one octet more", async () => {
      const { state } = await open();
      const largest = Uint8Array.from(randomBytes(512 * 1024));
      await state.write("empty", new Uint8Array(), undefined);
      await state.write("large", largest, undefined);
      expect((await state.read("empty"))?.value.byteLength).toBe(0);
      expect(sha256((await state.read("large"))?.value ?? new Uint8Array())).toBe(sha256(largest));
      const tooLarge = state.write("larger", new Uint8Array(512 * 1024 + 1), undefined);
      await expect(tooLarge).rejects.toMatchObject({ code: "STORE_VALUE_TOO_LARGE" });
      expect(await state.read("larger")).toBeUndefined();
    });

    it("keeps what was written when the caller changes its buffer afterwards", async () => {
      const { state } = await open();
      const value = text("before");
      await state.write("k", value, undefined);
      value.fill(0);
      (await state.read("k"))?.value.fill(1);
      expect(plain((await state.read("k"))?.value)).toBe("before");
    });
  });
}
