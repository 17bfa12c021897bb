import { answerOnce } from "../workers/index.ts";
import { tableToWire } from "./password-lookup.ts";
import { parsePasswordFile } from "./password-table.ts";

answerOnce((input) => {
  const { text, path } = input as { readonly text: string; readonly path: string }; // what openPasswords sends
  return tableToWire(parsePasswordFile(text, path));
});
