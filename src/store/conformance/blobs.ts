import { randomBytes } from "node:crypto";

import { describe, expect, it } from "vitest";

import { sha256, chunks, collect, type ConformancePlace } from "./place.ts";

/** Blobs. */
export function describeBlobs(place: ConformancePlace): void {
  const { open, openMany } = place;
  describe("blobs", () => {
    it.each([
      ["0 octets", 0],
      ["1 octet", 1],
      ["exactly one chunk", 256 * 1024],
      ["3 MB", 3_000_000],
    ])("gives back %s unchanged", async (_name, size) => {
      const [one, two] = await openMany(2);
      const bytes = Uint8Array.from(randomBytes(size));
      const digest = await one?.state.putBlob(chunks(bytes));
      expect(digest).toBe(`sha256:${sha256(bytes)}`);
      const found = await collect(two?.state.getBlob(digest ?? "") ?? chunks(bytes));
      expect(Buffer.compare(found, bytes)).toBe(0);
    });

    it("takes the same blob from two writers at once, and again", async () => {
      const stores = await openMany(2);
      const bytes = Uint8Array.from(randomBytes(300_000));
      const digests = await Promise.all([...stores, ...stores].map(({ state }) => state.putBlob(chunks(bytes, 7000))));
      expect(new Set(digests).size).toBe(1);
      expect(await collect(stores[0]?.state.getBlob(digests[0] ?? "") ?? chunks(bytes))).toHaveLength(300_000);
    });

    it("keeps nothing of a source that fails", async () => {
      const { state } = await open();
      const bytes = Uint8Array.from(randomBytes(1000));
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield bytes;
        throw new Error("the source broke");
      }
      await expect(state.putBlob(failing())).rejects.toThrow("the source broke");
      await expect(collect(state.getBlob(`sha256:${sha256(bytes)}`))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    });

    it.each(["", "sha256:", "sha256:../../../etc/passwd", `md5:${"0".repeat(64)}`, `sha256:${"A".repeat(64)}`])(
      "refuses %j as a digest",
      async (digest) => {
        const { state } = await open();
        await expect(collect(state.getBlob(digest))).rejects.toMatchObject({ code: "STORE_KEY_INVALID" });
      },
    );

    it("stops reading when told to", async () => {
      const { state } = await open();
      const digest = await state.putBlob(chunks(Uint8Array.from(randomBytes(1_000_000))));
      await expect(collect(state.getBlob(digest, { signal: AbortSignal.abort() }))).rejects.toMatchObject({ code: "CANCELLED" });
    });
  });
}
