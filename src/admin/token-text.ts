import { Secret } from "../base/index.ts";

const TOKEN = /^[A-Za-z0-9_-]{32,200}$/;

/** The token in a token file's text; undefined = it holds none. */
export function parseToken(text: string): Secret | undefined {
  const line = text.trim();
  return TOKEN.test(line) ? new Secret(line) : undefined;
}
