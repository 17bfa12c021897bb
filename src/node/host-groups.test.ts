import { describe, expect, it } from "vitest";

import { systemClock } from "../base/index.ts";
import { createHostGroups, parseHostGroup } from "./host-groups.ts";

describe("the groups that a balancer asks about", () => {
  it.each([
    ["0/1", { index: 0, of: 1 }],
    ["63/64", { index: 63, of: 64 }],
    ["1023/1024", { index: 1023, of: 1024 }],
    ["64/64", undefined],
    ["0/0", undefined],
    ["0/1025", undefined],
    ["", undefined],
    ["1", undefined],
    ["-1/4", undefined],
    ["1/4x", undefined],
  ])("are written %s", (text, group) => {
    expect(parseHostGroup(text)).toEqual(group);
  });

  it("hold every name once, whatever their number", () => {
    const names = Array.from({ length: 500 }, (_, index) => (index % 5 === 0 ? `*.a${index}.example.com` : `a${index}.example.com`));
    for (const count of [1, 7, 64]) {
      let all: readonly string[] = [];
      for (let index = 0; index < count; index += 1) {
        const some = names.filter((name) => createHostGroups(systemClock, () => [name]).unproved({ index, of: count }, 443).length > 0);
        all = [...all, ...some];
      }
      expect(all.toSorted()).toEqual(names.toSorted());
    }
  });

  it("go by CRC-32 as HAProxy has it", () => {
    // CRC-32 of "123456789" is 0xcbf43926, the check value of the algorithm's catalogue.
    const groups = createHostGroups(systemClock, () => ["123456789"]);
    expect(groups.unproved({ index: 0xcb_f4_39_26 % 1_000, of: 1_000 }, 443)).toEqual(["123456789"]);
  });

  it("share one look at the names for a moment", () => {
    let nowMs = 0;
    let looks = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    const groups = createHostGroups(clock, () => [`${(looks += 1)}`]);
    for (let index = 0; index < 64; index += 1) groups.unproved({ index, of: 64 }, 443);
    expect(looks).toBe(1);
    nowMs = 1_000;
    groups.unproved({ index: 0, of: 64 }, 443);
    groups.unproved({ index: 0, of: 64 }, 8443);
    expect(looks).toBe(3);
  });
});
