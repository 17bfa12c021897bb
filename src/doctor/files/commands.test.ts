import { expect, test } from "vitest";

import { quoted } from "./commands.ts";

test.each([
  ["a plain name stands as it is", "www.example.com.pfx", "www.example.com.pfx"],
  ["blanks and other letters are quoted", "bücher (1).pfx", "'bücher (1).pfx'"],
  ["a wildcard file stands as it is", "_.example.com.pfx", "_.example.com.pfx"],
  ["a quote cannot be quoted in both shells", "a'; rm -rf /;'.pfx", "FILE"],
  ["no command is substituted", "$(reboot).pfx", "FILE"],
  ["no line is broken", "a\nb.pfx", "FILE"],
  ["no terminal is driven", "\u001B[2J.pfx", "FILE"],
  ["no option is smuggled in", "-out", "FILE"],
  ["no path is left", "../../etc/passwd", "FILE"],
])("%s", (_name, name, expected) => {
  expect(quoted(name)).toBe(expected);
});
