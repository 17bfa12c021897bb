import type { CliHost } from "../host.ts";

/** A host without a terminal that keeps what is written. */
export function testHost(changes: Partial<CliHost> = {}): CliHost & { readonly written: { out: string; err: string } } {
  const written = { out: "", err: "" };
  const terminal = (stream: "out" | "err") => ({
    write: (text: string) => void (written[stream] += text),
    isTerminal: false,
    columns: undefined,
  });
  return {
    version: "1.2.3",
    environment: {},
    out: terminal("out"),
    err: terminal("err"),
    signal: new AbortController().signal,
    agree: undefined,
    user: "tester@here",
    local: () => Promise.reject(new Error("no local calls here")),
    identities: () => Promise.reject(new Error("no identities here")),
    up: () => Promise.resolve(0),
    serveAdmin: () => Promise.resolve(0),
    store: () => Promise.reject(new Error("no store here")),
    written,
    ...changes,
  };
}
