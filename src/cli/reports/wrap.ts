import { displayWidth } from "../text.ts";

/** Words in lines of at most `width` columns; a word that is longer stays whole, so that it can be copied. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of text.split(" ")) {
    const wide = displayWidth(word);
    if (line !== "" && used + 1 + wide > width) {
      lines.push(line);
      [line, used] = [word, wide];
    } else {
      [line, used] = line === "" ? [word, wide] : [`${line} ${word}`, used + 1 + wide];
    }
  }
  return line === "" && lines.length > 0 ? lines : [...lines, line];
}
