import * as fc from "fast-check";
import { expect, test } from "vitest";

import { NameSet } from "./name-set.ts";

const names = fc.oneof(
  fc.constantFrom("www.example.com.pfx", "_.example.com.pem", "bücher.example.pfx", "", "a", "b", "c", "d", "e"),
  fc.string({ unit: "grapheme", maxLength: 40 }),
);
const steps = fc.array(fc.tuple(fc.constantFrom("add", "delete", "has"), names), { maxLength: 400 });

test("answers as a Set of strings does", () => {
  fc.assert(
    fc.property(steps, (list) => {
      const ours = new NameSet();
      const model = new Set<string>();
      for (const [step, name] of list) {
        const known = model.has(name);
        if (step === "add") {
          expect(ours.add(name)).toBe(!known);
          model.add(name);
        } else if (step === "delete") expect(ours.delete(name)).toBe(model.delete(name));
        else expect(ours.has(name)).toBe(known);
        expect(ours.size).toBe(model.size);
      }
      expect([...ours].toSorted()).toEqual([...model].toSorted());
    }),
  );
});

test("keeps a hundred thousand names, through as many deletions", () => {
  const set = new NameSet();
  const name = (at: number): string => `host-${at}.example.com.pfx`;
  for (let at = 0; at < 100_000; at += 1) expect(set.add(name(at))).toBe(true);
  for (let at = 0; at < 100_000; at += 2) expect(set.delete(name(at))).toBe(true);
  expect(set.size).toBe(50_000);
  expect([0, 1, 99_998, 99_999].map((at) => set.has(name(at)))).toEqual([false, true, false, true]);
  for (let round = 0; round < 5; round += 1)
    for (let at = 0; at < 20_000; at += 2) expect(set.add(name(at)) && set.delete(name(at))).toBe(true);
  expect(new Set(set).size).toBe(50_000);
});

test("takes a name as long as its bound and refuses a longer one", () => {
  const set = new NameSet();
  expect(set.add("x".repeat(65_535))).toBe(true);
  expect(set.has("x".repeat(65_535))).toBe(true);
  expect(() => set.add("x".repeat(65_536))).toThrow(RangeError);
});
