import { expect, test } from "vitest";

import type { SeenCertificate } from "../observation.ts";
import { ROOT, seen, seenLeaf } from "../testing/certificates.ts";
import { served, type Script } from "../testing/examination.ts";
import { everywhere } from "../testing/file-scripts.ts";
import { HOST, told } from "../testing/wire-scripts.ts";
import { weakCertificate } from "./weak-certificate.ts";

const chain = (leaf: Partial<SeenCertificate>, issuer: Partial<SeenCertificate> = {}) =>
  everywhere(served(HOST, { chain: [seenLeaf(HOST, leaf), seen("Example CA", issuer), ROOT] }));

const rows: [string, Script, string[]][] = [
  ["cannot look when nothing was dialled", {}, ["could-not-look"]],
  ["passes on keys and signatures of today", chain({ keyName: "P-256", signatureAlgorithm: "ecdsa-with-SHA384" }), ["passed"]],
  [
    "names a short RSA key",
    chain({ keyName: "RSA 1024" }),
    ["warning, certain: Current clients refuse the certificate of www.example.com: CN=www.example.com has an RSA key of 1024 bits"],
  ],
  [
    "names an issuer that is signed with SHA-1",
    chain({}, { signatureAlgorithm: "sha1WithRSAEncryption" }),
    ["warning, certain: Current clients refuse the certificate of www.example.com: CN=Example CA is signed with sha1WithRSAEncryption"],
  ],
  [
    "never looks at a root's own signature",
    everywhere(served(HOST, { chain: [seenLeaf(HOST), seen("Root", { selfSigned: true, signatureAlgorithm: "sha1WithRSAEncryption" })] })),
    ["passed"],
  ],
  ["does not take SHA-128 of another name for SHA-1", chain({ signatureAlgorithm: "ecdsa-with-SHA1234" }), ["passed"]],
  [
    "is an error when this machine refuses, too",
    everywhere(served(HOST, { verified: "EE_KEY_TOO_SMALL" })),
    ["error, certain: Current clients refuse the certificate of www.example.com: the key of the certificate is too small"],
  ],
];

test.each(rows)("%s", (_name, script, expected) => {
  expect(told(weakCertificate, script)).toEqual(expected);
});
