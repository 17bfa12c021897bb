import { describe, expect, it, test } from "vitest";

import type { Terminal } from "./host.ts";
import { createProgressBar } from "./progress-bar.ts";
import { formatTable } from "./table.ts";
import { clean, createPaint, displayWidth, fit, formatAge } from "./text.ts";

const terminal = (isTerminal: boolean, written: string[] = []): Terminal => ({
  write: (text) => void written.push(text),
  isTerminal,
  columns: isTerminal ? 40 : undefined,
});
const plain = createPaint(terminal(false), {});

describe("the width of a text", () => {
  it.each([
    ["letters", "abc", 3],
    ["nothing", "", 0],
    ["colours", "\u001b[31mred\u001b[39m", 3],
    ["symbols", "✓✗…?≠", 5],
    ["East Asian letters", "日本", 4],
    ["a combining mark", "e\u0301", 1],
    ["an emoji of several parts", "👩‍💻", 2],
  ])("%s", (_name, text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it("is kept when a text is cut", () => {
    expect(fit("www.example.com", 8)).toBe("www.exa…");
    expect(displayWidth(fit("日本語日本語", 6))).toBeLessThanOrEqual(6);
    expect(fit("short", 8)).toBe("short");
  });
});

describe("a table", () => {
  it("is aligned by what is seen", () => {
    const rows = [
      ["日本.example", "\u001b[32m✓\u001b[39m"],
      ["a", "✗"],
    ];
    expect(formatTable(["HOST", "OK"], rows, { paint: plain, columns: undefined })).toBe(
      "HOST          OK\n日本.example  \u001b[32m✓\u001b[39m\na             ✗\n",
    );
  });

  it("fits the terminal: the widest columns give way", () => {
    const text = formatTable(["NAME", "NOTE"], [["short", "a long sentence that does not fit into the line"]], {
      paint: plain,
      columns: 30,
    });
    for (const line of text.trimEnd().split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(30);
    expect(text).toContain("short");
    expect(text).toContain("…");
  });
});

describe("colours", () => {
  it.each([
    ["on a terminal", true, {}, true],
    ["in a pipe", false, {}, false],
    ["with NO_COLOR", true, { NO_COLOR: "1" }, false],
    ["with an empty NO_COLOR", true, { NO_COLOR: "" }, true],
    ["on a dumb terminal", true, { TERM: "dumb" }, false],
  ])("%s", (_name, isTerminal, environment, coloured) => {
    expect(createPaint(terminal(isTerminal), environment)("red", "x") !== "x").toBe(coloured);
  });
});

test("control and format characters do not reach the terminal", () => {
  expect(clean("a\u001b[2Jb\u202ec\nd")).toBe("a?[2Jb?c?d");
});

test("ages are told in the unit that fits", () => {
  expect([0, 99_400, 150_000, 7_200_000, 1e9].map(formatAge)).toEqual(["0 s", "99 s", "3 min", "2 h", "12 days"]);
});

describe("a progress bar", () => {
  const run = (isTerminal: boolean, times: readonly number[]): string[] => {
    const written: string[] = [];
    let now = 0;
    const bar = createProgressBar(terminal(isTerminal, written), "reading", () => now);
    for (const time of times) {
      now = time;
      bar.update(time, 4_000);
    }
    bar.end();
    return written;
  };

  it("comes after a second, at most ten times in one, and goes away", () => {
    const written = run(true, [500, 1_500, 1_550, 2_000]);
    expect(written).toHaveLength(3);
    expect(written[1]).toContain("2000/4000");
    expect(written.at(-1)).toBe("\r\u001b[K");
  });

  it("is not there for what is quick, nor in a pipe", () => {
    expect(run(true, [100, 900])).toEqual([]);
    expect(run(false, [2_000, 3_000])).toEqual([]);
  });
});
