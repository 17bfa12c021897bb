import { randomBytes } from "node:crypto";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseFarmKey, type FarmKey } from "./farm-key.ts";
import { decodeKeyring, encodeKeyring } from "./keyring-record.ts";
import { addFarmKey, addGeneration, dropOldGenerations, foundKeyring, keepFarmKey, openKeyring, type Keyring } from "./keyring.ts";

const newKey = (): FarmKey => parseFarmKey(randomBytes(32), "a test");
const [first, second] = [newKey(), newKey()];
const exported = (keyring: Keyring, key: FarmKey): readonly [number, string][] =>
  [...openKeyring(keyring, [key])].map(([generation, each]) => [generation, each.export().toString("hex")]);

describe("a keyring", () => {
  it("opens under its farm key, and comes back from the store as it was", () => {
    const keyring = addGeneration(foundKeyring(first, 1), [first], 2);
    expect(keyring.current).toBe(2);
    expect(decodeKeyring(encodeKeyring(keyring))).toEqual(keyring);
    expect(exported(keyring, first).map(([generation]) => generation)).toEqual([1, 2]);
    expect(new Set(exported(keyring, first).map(([, key]) => key)).size).toBe(2);
  });

  it("holds no key in the clear", () => {
    const keyring = foundKeyring(first, 1);
    const stored = Buffer.from(encodeKeyring(keyring)).toString();
    for (const key of [first.key, ...openKeyring(keyring, [first]).values()]) {
      for (const form of ["hex", "base64", "base64url"] as const) expect(stored).not.toContain(key.export().toString(form));
    }
  });

  it("refuses another farm key, and says which it wants and which it got", () => {
    expect(() => openKeyring(foundKeyring(first, 1), [second])).toThrow(
      expect.objectContaining({ code: "SECRETS_KEY_WRONG", message: expect.stringMatching(`${first.id}.*${second.id}`) as string }),
    );
  });

  it("keeps every data key while the farm key is changed: both open it, then the new one alone", () => {
    const before = addGeneration(foundKeyring(first, 1), [first], 2);
    const both = addFarmKey(before, [first], second, 3);
    expect(exported(both, first)).toEqual(exported(before, first));
    expect(exported(both, second)).toEqual(exported(before, first));
    const after = keepFarmKey(both, second);
    expect(exported(after, second)).toEqual(exported(before, first));
    expect(() => openKeyring(after, [first])).toThrow(expect.objectContaining({ code: "SECRETS_KEY_WRONG" }));
    expect(JSON.stringify(after)).not.toContain(first.id);
  });

  it("is not changed by who has one of two farm keys only", () => {
    const both = addFarmKey(foundKeyring(first, 1), [first], second, 2);
    expect(() => addGeneration(both, [second], 3)).toThrow(expect.objectContaining({ code: "SECRETS_ROTATION_UNDER_WAY" }));
    expect(() => dropOldGenerations(both, [first])).toThrow(expect.objectContaining({ code: "SECRETS_ROTATION_UNDER_WAY" }));
    const next = dropOldGenerations(addGeneration(both, [first, second], 3), [first, second]);
    expect([exported(next, first), exported(next, second)].map((keys) => keys.map(([generation]) => generation))).toEqual([[2], [2]]);
  });

  it.each<[string, (keyring: Keyring) => Keyring]>([
    ["an older data key is made the current one", (keyring) => ({ ...keyring, current: 1 })],
    ["a data key is taken out", (keyring) => ({ ...keyring, generations: keyring.generations.slice(1) })],
    ["data keys are swapped", (keyring) => ({ ...keyring, generations: swapped(keyring) })],
    ["it is said to be another farm's", (keyring) => ({ ...keyring, farm: "other" })],
    ["its proof is taken away", (keyring) => ({ ...keyring, farmKeys: keyring.farmKeys.map((entry) => ({ ...entry, proof: "" })) })],
    ["a farm key is put beside", (keyring) => ({ ...keyring, farmKeys: [...keyring.farmKeys, { id: "x", addedAt: 1, proof: "" }] })],
  ])("is refused when %s", (_what, change) => {
    const keyring = addGeneration(foundKeyring(first, 1), [first], 2);
    expect(() => openKeyring(change(keyring), [first])).toThrow(expect.objectContaining({ code: "SECRETS_KEYRING_DAMAGED" }));
  });

  it.each<[string, string, string]>([
    ["no JSON", "{", "SECRETS_KEYRING_DAMAGED"],
    ["no object", "[]", "SECRETS_KEYRING_DAMAGED"],
    ["a part that is missing", `{"form":1,"farm":"f"}`, "SECRETS_KEYRING_DAMAGED"],
    ["a newer form", `{"form":2}`, "SECRETS_NEWER"],
  ])("tells %s", (_what, text, code) => {
    expect(() => decodeKeyring(Buffer.from(text))).toThrow(expect.objectContaining({ code }));
  });

  it("reads any JSON without another error than its own", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(() => decodeKeyring(Buffer.from(text))).toThrow(expect.objectContaining({ name: "FarmError" }));
      }),
    );
  });
});

function swapped({ generations: [one, two] }: Keyring): Keyring["generations"] {
  if (one === undefined || two === undefined) throw new Error("two data keys were made");
  return [
    { ...one, wraps: two.wraps },
    { ...two, wraps: one.wraps },
  ];
}
