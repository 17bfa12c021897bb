import { certfarmNode, iisNode, installed } from "../evidence.ts";
import { INTERMEDIATE, ROOT, seen, seenLeaf } from "../certificates.ts";
import { at, served } from "../examination.ts";
import { ALONE, everywhere } from "../file-scripts.ts";
import { HOST } from "../wire-scripts.ts";
import type { CatalogueRow } from "./catalogue-row.ts";

/** Causes that rules of tier "host" name: certificates as they are sent, chains, validity, clocks. */
export const CERTIFICATE_CAUSES: readonly CatalogueRow[] = [
  {
    cause: 49,
    name: "an RSA key of 1024 bits",
    script: everywhere(served(HOST, { verified: "EE_KEY_TOO_SMALL", chain: [seenLeaf(HOST, { keyName: "RSA 1024" }), INTERMEDIATE] })),
    first: "weak-certificate",
  },
  {
    cause: 49,
    name: "an intermediate that is signed with SHA-1",
    script: everywhere(
      served(HOST, {
        verified: "CA_MD_TOO_WEAK",
        chain: [seenLeaf(HOST), seen("Example CA", { signatureAlgorithm: "sha1WithRSAEncryption" })],
      }),
    ),
    first: "weak-certificate",
  },
  {
    cause: 50,
    name: "one IIS server lacks the intermediate",
    script: {
      cells: { web1: { [HOST]: served(HOST, { chain: [seenLeaf(HOST), INTERMEDIATE] }) }, web2: { [HOST]: ALONE } },
      evidence: { web1: iisNode([HOST]), web2: iisNode([HOST]) },
    },
    first: "intermediate-missing",
    nodes: ["web2"],
  },
  { cause: 50, name: "no node sends the intermediate", script: everywhere(ALONE), first: "intermediate-missing" },
  {
    cause: 51,
    name: "one node sends an expired cross-signed intermediate",
    script: {
      cells: {
        web1: { [HOST]: served(HOST, { chain: [seenLeaf(HOST), INTERMEDIATE] }) },
        web2: {
          [HOST]: served(HOST, { verified: "CERT_HAS_EXPIRED", chain: [seenLeaf(HOST), seen("Example CA crossed", { notAfter: at(-2) })] }),
        },
      },
    },
    first: "chain-expired",
    nodes: ["web2"],
  },
  {
    cause: 51,
    name: "one node of three sends another intermediate",
    script: {
      cells: Object.fromEntries(
        ["web1", "web2", "web3"].map((node) => [
          node,
          { [HOST]: served(HOST, { chain: [seenLeaf(HOST), node === "web3" ? seen("Example CA crossed") : INTERMEDIATE] }) },
        ]),
      ),
    },
    first: "chain-differs",
    nodes: ["web3"],
  },
  {
    cause: 51,
    name: "one node of three sends the root as well",
    script: {
      cells: Object.fromEntries(
        ["web1", "web2", "web3"].map((node) => [
          node,
          { [HOST]: served(HOST, { chain: [seenLeaf(HOST), INTERMEDIATE, ...(node === "web3" ? [ROOT] : [])] }) },
        ]),
      ),
    },
    first: "chain-differs",
    nodes: ["web3"],
  },
  {
    cause: 52,
    name: "an intermediate among the roots of one server",
    script: {
      cells: { web1: { [HOST]: served(HOST) } },
      evidence: { web1: iisNode([HOST], { certificates: [installed("Example CA", { store: "Root", issuer: "CN=Example Root" })] }) },
    },
    first: "intermediate-in-root-store",
  },
  {
    cause: 53,
    name: "one node has an expired certificate of its own, the others a valid one",
    script: {
      cells: {
        web1: { [HOST]: served(HOST) },
        web2: {
          [HOST]: served("own", {
            issuer: "CN=Other CA",
            dnsNames: [HOST],
            notBefore: at(-31),
            notAfter: at(-1),
            verified: "CERT_HAS_EXPIRED",
          }),
        },
      },
    },
    first: "certificate-expired",
    nodes: ["web2"],
  },
  {
    cause: 53,
    name: "every node serves an expired certificate",
    script: everywhere(served(HOST, { notAfter: at(-1), verified: "CERT_HAS_EXPIRED" })),
    first: "certificate-expired",
  },
  {
    cause: 53,
    name: "a certificate that begins tomorrow",
    script: everywhere(served(HOST, { notBefore: at(1), verified: "CERT_NOT_YET_VALID" })),
    first: "certificate-not-yet-valid",
  },
  {
    cause: 53,
    name: "a certificate that ends in two days",
    script: everywhere(served(HOST, { notAfter: at(2) })),
    first: "certificate-expires-soon",
  },
  {
    cause: 54,
    name: "the clock of one node is ten minutes ahead, by its evidence",
    script: {
      cells: { web1: { [HOST]: served(HOST) }, web2: { [HOST]: served(HOST) } },
      evidence: {
        web1: certfarmNode([HOST]),
        web2: certfarmNode([HOST], { clock: { source: "report", offsetMs: 600_000, uncertaintyMs: 20 } }),
      },
    },
    first: "clock-skew",
    nodes: ["web2"],
  },
  {
    cause: 54,
    name: "the clock of one node is ten minutes behind, by its Date header",
    script: {
      cells: {
        web1: { [HOST]: { sni: served(HOST), request: { status: 200, clockOffsetMs: 200 } } },
        web2: { [HOST]: { sni: served(HOST), request: { status: 200, clockOffsetMs: -600_000 } } },
      },
    },
    first: "clock-skew",
    nodes: ["web2"],
  },
  {
    cause: 55,
    name: "one node staples no OCSP response",
    script: { cells: { web1: { [HOST]: served(HOST, { stapled: true }) }, web2: { [HOST]: served(HOST, { stapled: false }) } } },
    first: "staple-missing",
    nodes: ["web2"],
  },
];
