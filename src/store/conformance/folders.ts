import { describe, expect, it } from "vitest";

import type { Entry } from "../contract.ts";
import { text, plain, collect, type ConformancePlace } from "./place.ts";

/** Folders. */
export function describeFolders(place: ConformancePlace): void {
  const { open, openMany } = place;
  describe("folders", () => {
    it("shows a file that was put to another handle, whole and with its stat", async () => {
      const [one, two] = await openMany(2);
      const put = await one?.folder("certificates").put("www.example.com.pfx", text("pfx"));
      const folder = two?.folder("certificates");
      expect(await folder?.names()).toEqual(["www.example.com.pfx"]);
      expect(put).toMatchObject({ path: "www.example.com.pfx", size: 3 });
      expect(await folder?.stat("www.example.com.pfx")).toEqual(put);
      expect(await folder?.read("www.example.com.pfx", { maxBytes: 3 })).toEqual({ bytes: text("pfx"), stat: put });
    });

    it("gives a replaced file another stamp, of the same size too", async () => {
      const folder = (await open()).folder("config");
      const stamps = new Set<string>();
      for (let round = 0; round < 5; round += 1) stamps.add((await folder.put("farm.yaml", text(`v${round}`))).stamp);
      expect(stamps.size).toBe(5);
      expect(plain((await folder.read("farm.yaml", { maxBytes: 100 }))?.bytes)).toBe("v4");
    });

    it("replaces the version that was expected, and none other", async () => {
      const folder = (await open()).folder("certificates");
      const { stamp } = await folder.put("a.pem", text("one"));
      const next = await folder.put("a.pem", text("two"), { expect: stamp });
      await expect(folder.put("a.pem", text("three"), { expect: stamp })).rejects.toMatchObject({ code: "STORE_CONFLICT" });
      expect(plain((await folder.read("a.pem", { maxBytes: 100 }))?.bytes)).toBe("two");
      await folder.remove("a.pem");
      await expect(folder.put("a.pem", text("four"), { expect: next.stamp })).rejects.toMatchObject({ code: "STORE_CONFLICT" });
      expect(await folder.names()).toEqual([]);
    });

    it("lists names of the top level only and walks every depth", async () => {
      const folder = (await open()).folder("content");
      for (const path of ["top.html", "shop/index.html", "shop/img/a b.png", "shop/img/ü.png"]) await folder.put(path, text(path));
      expect(await folder.names()).toEqual(["top.html"]);
      const found: string[] = [];
      for await (const file of folder.walk()) found.push(file.path);
      expect(found.sort()).toEqual(["shop/img/a b.png", "shop/img/ü.png", "shop/index.html", "top.html"]);
      expect(plain(await collect(folder.open("shop/img/a b.png")))).toBe("shop/img/a b.png");
    });

    it("tells absence as undefined, and a stream of what is absent as unavailable", async () => {
      const folder = (await open()).folder("certificates");
      expect(await folder.stat("absent.pfx")).toBeUndefined();
      expect(await folder.stat("absent/deeper.pfx")).toBeUndefined();
      expect(await folder.stat("x".repeat(300))).toBeUndefined();
      expect(await folder.read("absent.pfx", { maxBytes: 1 })).toBeUndefined();
      await folder.remove("absent.pfx");
      await expect(collect(folder.open("absent.pfx"))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    });

    it("refuses to read more than asked for, and removes", async () => {
      const folder = (await open()).folder("certificates");
      await folder.put("big.pfx", new Uint8Array(1001));
      await expect(folder.read("big.pfx", { maxBytes: 1000 })).rejects.toMatchObject({ code: "STORE_VALUE_TOO_LARGE" });
      await folder.remove("big.pfx");
      expect(await folder.names()).toEqual([]);
    });

    it.each(["", "/etc/passwd", "../state/farm-id", "a/../../b", "a/./b", "a//b", "a\\b", "a\0b", ".", ".."])(
      "refuses the path %j",
      async (path) => {
        const folder = (await open()).folder("certificates");
        const refusal = { code: "STORE_KEY_INVALID" };
        await expect(folder.stat(path)).rejects.toMatchObject(refusal);
        await expect(folder.read(path, { maxBytes: 1 })).rejects.toMatchObject(refusal);
        await expect(collect(folder.open(path))).rejects.toMatchObject(refusal);
        await expect(folder.put(path, text(""))).rejects.toMatchObject(refusal);
        await expect(folder.remove(path)).rejects.toMatchObject(refusal);
      },
    );

    it.each(["certificates", "config", "content"] as const)("says 'look again' when a file of %s comes, changes and goes", async (name) => {
      const [one, two] = await openMany(2);
      const hints = two?.folder(name).watch({ signal: place.stop.signal })[Symbol.asyncIterator]();
      await hints?.next();
      const until = async (isSo: (entry: Entry | string | undefined) => boolean): Promise<void> => {
        for (;;) {
          const read = await two?.folder(name).read("a.txt", { maxBytes: 10 });
          if (isSo(read === undefined ? undefined : plain(read.bytes))) return;
          expect((await hints?.next())?.done).toBe(false);
        }
      };
      await one?.folder(name).put("a.txt", text("1"));
      await until((value) => value === "1");
      await one?.folder(name).put("a.txt", text("2"));
      await until((value) => value === "2");
      await one?.folder(name).remove("a.txt");
      await until((value) => value === undefined);
    });
  });
}
