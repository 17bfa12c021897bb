import { expect, test } from "vitest";

import { RESET, served, type Script } from "../testing/examination.ts";
import { HANGS, HOST, WELL, alert, deep, told } from "../testing/wire-scripts.ts";
import { keyTypesDiffer } from "./key-types-differ.ts";

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: WELL, web2: WELL } }, ["passed"]],
  [
    "names the node without an ECDSA certificate",
    deep([{ ecdsa: served(HOST) }, { ecdsa: alert("handshake_failure") }]),
    ["warning, certain: web2 has no ECDSA certificate for www.example.com, other nodes have"],
  ],
  [
    "names the node without an RSA certificate",
    deep([{ rsa: RESET }, { rsa: served(HOST) }]),
    ["warning, certain: web1 has no RSA certificate for www.example.com, other nodes have"],
  ],
  ["says nothing when no node has one", deep([{ ecdsa: RESET }, { ecdsa: RESET }]), ["passed"]],
  ["says nothing when an answer stayed away", deep([{ ecdsa: served(HOST) }, { ecdsa: HANGS }]), ["passed"]],
];
test.each(rows)("%s", (_name, script, expected) => {
  expect(told(keyTypesDiffer, script)).toEqual(expected);
});
