import { expect, it } from "vitest";

import { suggest } from "./suggest.ts";

const BINDING = ["protocol", "host", "address", "port", "sni", "certificate"];
const SITE = ["name", "bindings", "content", "proxy", "redirect", "redirectToHttps", "hsts", "tls"];

it.each([
  ["a missing letter", "adress", BINDING, "address"],
  ["two letters swapped", "hsot", BINDING, "host"],
  ["another case", "SNI", BINDING, "sni"],
  ["another style of joining", "redirect_to_https", SITE, "redirectToHttps"],
  ["a known word with a tail", "sni_required", BINDING, "sni"],
  ["a shortened word", "cert", BINDING, "certificate"],
  ["nginx's word", "server_name", BINDING, "host"],
  ["nginx's word for a folder", "root", SITE, "content"],
  ["Caddy's word", "reverse_proxy", SITE, "proxy"],
  ["nginx's word for upstreams", "proxy_pass", SITE, "proxy"],
  ["IIS's word", "sslFlags", BINDING, "sni"],
  ["the singular", "binding", SITE, "bindings"],
])("knows what was meant by %s", (_, word, known, meant) => expect(suggest(word, known)).toBe(meant));

it.each([
  ["a word that is like none", "colour", BINDING],
  ["a prototype's word", "constructor", BINDING],
  ["an empty word", "", BINDING],
  ["a synonym of something that is not allowed here", "listen", ["name"]],
])("suggests nothing for %s", (_, word, known) => expect(suggest(word, known)).toBeUndefined());

it("does not compare a million letters", () => {
  const started = performance.now();
  expect(suggest("x".repeat(1_000_000), SITE)).toBeUndefined();
  expect(performance.now() - started).toBeLessThan(200);
});
