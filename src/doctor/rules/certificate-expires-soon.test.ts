import { expect, test } from "vitest";

import { at, served, type Script } from "../testing/examination.ts";
import { everywhere, fileWith, iisFarm } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { certificateExpiresSoon } from "./certificate-expires-soon.ts";

const ending = (left: number, life = 90) => served(HOST, { notBefore: at(left - life), notAfter: at(left) });

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when there is time", everywhere(ending(15)), ["passed"]],
  ["warns within 14 days", everywhere(ending(13)), ["warning, certain: The certificate of www.example.com ends in 13 days"]],
  ["is an error within 3 days", everywhere(ending(2)), ["error, certain: The certificate of www.example.com ends in 2 days"]],
  ["passes on a certificate of six days that is renewed in the last third", everywhere(ending(3, 6)), ["passed"]],
  ["warns when that is late", everywhere(ending(1, 6)), ["warning, certain: The certificate of www.example.com ends in 1 day"]],
  ["leaves what has ended to its own rule", everywhere(ending(-1)), ["passed"]],
  [
    "passes when another node has the next one already",
    { cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: ending(10) } } },
    ["passed"],
  ],
  ["passes when the file holds the next one already", iisFarm([fileWith("ok")], [ending(10), ending(10)]), ["passed"]],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(certificateExpiresSoon, script)).toEqual(expected);
});
