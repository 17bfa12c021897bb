import { expect, test } from "vitest";

import { seenLeaf } from "../testing/certificates.ts";
import { binding, installed } from "../testing/evidence.ts";
import { ask, at, served, type CellScript, type Script } from "../testing/examination.ts";
import { certfarmFarm, fileWith, FORMER, holding, iisFarm, SHOP_FILE, SHOP_WELL } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { staleCertificate } from "./stale-certificate.ts";

const minutes = (count: number) => ({ modifiedAt: at(-count / 1_440) });
const iis = (age: number): Script => iisFarm([SHOP_FILE, fileWith("ok", minutes(age))], [served(HOST), FORMER]);
const certfarm = (age: number): Script => certfarmFarm([SHOP_FILE, fileWith("ok", minutes(age))], [served(HOST), FORMER]);
const dialled = (one: CellScript, other: CellScript): Script => ({ cells: { web1: { [HOST]: one }, web2: { [HOST]: other } } });
/** nginx with a file that certbot renewed. */
const nginx = (issued: number): Script => ({
  cells: { web1: { [HOST]: FORMER } },
  evidence: {
    web1: {
      make: "nginx",
      bindings: { source: "nginx.conf", bindings: [{ ...binding(HOST, { central: false }), files: ["/etc/www.pem"] }] },
      certificates: [installed(HOST, { store: "/etc/www.pem", notBefore: at(issued) })],
    },
  },
});
/** Each node obtained its own: the second in the first third of the life of the other. */
const own = served("own", { subject: `CN=${HOST}`, dnsNames: [HOST], notBefore: at(-10), notAfter: at(80) });

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes when all is well", { cells: { web1: SHOP_WELL } }, ["passed"]],
  ["is a notice within the polling interval of IIS", iis(4), ["notice, certain: web2 serves the former certificate for www.example.com"]],
  ["is an error beyond it", iis(6), ["error, certain: web2 serves the former certificate for www.example.com"]],
  ["knows that certfarm looks more often", certfarm(4), ["error, certain: web2 serves the former certificate for www.example.com"]],
  ["is a notice within a minute on certfarm", certfarm(0.5), ["notice, certain: web2 serves the former certificate for www.example.com"]],
  [
    "is an error at once when the former certificate has ended",
    iisFarm([fileWith("ok", minutes(1))], [served(HOST), { ...FORMER, notAfter: at(-1), verified: "CERT_HAS_EXPIRED" }]),
    ["error, certain: web2 serves the former certificate for www.example.com"],
  ],
  [
    "sees it when every node is behind",
    iisFarm([fileWith("ok")], [FORMER, FORMER]),
    ["error, certain: web1 and web2 serve the former certificate for www.example.com"],
  ],
  ["knows that nginx does not look by itself", nginx(-1), ["error, certain: web1 serves the former certificate for www.example.com"]],
  [
    "gives whoever renews it the time to reload nginx",
    nginx(-1 / 24),
    ["notice, certain: web1 serves the former certificate for www.example.com"],
  ],
  [
    "is likely where only the wire is known",
    dialled(served(HOST), FORMER),
    ["error, likely: web2 serves the former certificate for www.example.com"],
  ],
  [
    "is a notice there when the new one was issued just now",
    dialled(served(HOST, { notBefore: at(-1 / 24), notAfter: at(89) }), FORMER),
    ["notice, likely: web2 serves the former certificate for www.example.com"],
  ],
  ["does not take certificates of nodes that each obtain their own for renewals", dialled(served(HOST), own), ["passed"]],
  [
    "does not take an ECDSA certificate for the renewal of an RSA one",
    dialled(served(HOST, { chain: [seenLeaf(HOST, { keyName: "P-256" })] }), {
      ...FORMER,
      chain: [seenLeaf("former", { keyName: "RSA 2048" })],
    }),
    ["passed"],
  ],
  [
    "passes on either file of an RSA and ECDSA pair",
    certfarmFarm(
      [holding(`${HOST}.rsa.pfx`, "rsa", { notBefore: at(-60) }), holding(`${HOST}.ecdsa.pfx`, "ecdsa", { keyType: "ecdsa" })],
      [served("rsa", { dnsNames: [HOST], notBefore: at(-60) }), served("ecdsa", { dnsNames: [HOST] })],
    ),
    ["passed"],
  ],
  [
    "says nothing of a certificate that is newer than the file's",
    iisFarm([holding(`${HOST}.pfx`, "old", { notBefore: at(-90) })], [served(HOST), served(HOST)]),
    ["passed"],
  ],
  [
    "is an error when certfarm says itself that it uses another than the file's",
    certfarmFarm([fileWith("ok", { inUse: { thumbprint: FORMER.thumbprint } })], [FORMER, FORMER]),
    ["error, certain: web1 and web2 serve the former certificate for www.example.com"],
  ],
  [
    "says nothing when certfarm keeps the former because the new file is bad",
    certfarmFarm([fileWith("key-mismatch", { inUse: { thumbprint: FORMER.thumbprint } })], [FORMER, FORMER]),
    ["passed"],
  ],
  [
    "says nothing while the file's certificate is not valid yet",
    certfarmFarm([holding(`${HOST}.pfx`, "next", { notBefore: at(1), notAfter: at(90) })], [FORMER, FORMER]),
    ["passed"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(staleCertificate, script)).toEqual(expected);
});

test("explains the nodes that are behind and those that differ because they are ahead, and cures each make in its way", () => {
  const three: Script = { ...certfarm(10), cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: FORMER }, web3: { [HOST]: FORMER } } };
  const { findings, diagnosis } = ask(staleCertificate, {
    ...three,
    evidence: { ...three.evidence, web3: nginx(-1).evidence?.["web1"] ?? {} },
  });
  expect(findings.flatMap(({ nodes, actions }) => [nodes, ...actions])).toEqual([
    ["web2", "web3"],
    { do: "resync", node: "web2", part: "certificates", host: HOST },
    { do: "manual", node: "web3", text: "nginx -t && nginx -s reload" },
  ]);
  expect(findings[0]?.proof.map(({ text }) => text)).toEqual([
    "web2 serves 666F726D, valid until 2026-06-20 for www.example.com",
    "www.example.com.pfx holds 7777772E, valid until 2026-08-14, and was changed 10 minutes ago (it looks every 1 minute)",
  ]);
  expect(diagnosis.symptoms.map(({ node, kind }) => [node, kind])).toEqual([["web1", "differs"]]);
  expect(diagnosis.findings).toHaveLength(1);
});
