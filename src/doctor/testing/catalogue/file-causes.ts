import { centralFile, centralStore, certfarmNode, fileFacts, fileReading, iisNode, installed, pattern } from "../evidence.ts";
import { INTERMEDIATE, ROOT, seen, seenLeaf } from "../certificates.ts";
import { at, RESET, served, wrong } from "../examination.ts";
import { ALONE, certfarmFile, everywhere, FORMER, holding, iisFarm, SHOP_FILE, SHOP_WELL, WILDCARD } from "../file-scripts.ts";
import { HOST, SHOP } from "../wire-scripts.ts";
import type { CatalogueRow } from "./catalogue-row.ts";

/** Causes that rules of tier "host" name: files, certificates, names. */
export const FILE_CAUSES: readonly CatalogueRow[] = [
  {
    cause: 10,
    name: "one PFX is closed to one IIS server: its host alone is reset there",
    script: {
      ...iisFarm([SHOP_FILE, centralFile(`${HOST}.pfx`)], [served(HOST), RESET]),
      evidence: {
        web1: iisNode([SHOP, HOST]),
        web2: iisNode([SHOP, HOST], { central: centralStore([SHOP_FILE, centralFile(`${HOST}.pfx`, { access: "denied" })]) }),
      },
    },
    first: "file-unreadable",
    nodes: ["web2"],
  },
  {
    cause: 11,
    name: "a PFX with another password, seen on the share of an IIS farm",
    script: iisFarm([SHOP_FILE, centralFile(`${HOST}.pfx`, { reading: fileReading(HOST, "wrong-password") })], [RESET, RESET]),
    first: "password-wrong",
  },
  { cause: 11, name: "a PFX with another password on a certfarm node", script: certfarmFile("wrong-password"), first: "password-wrong" },
  {
    cause: 13,
    name: "a PFX with an encryption that its reader does not know",
    script: certfarmFile("unsupported-algorithm"),
    first: "file-unsupported",
  },
  {
    cause: 14,
    name: "an AES PFX in a farm of Windows Server 2016 and 2019",
    script: (() => {
      const file = centralFile(`${HOST}.pfx`, {
        reading: fileReading(HOST, "ok", { facts: fileFacts(HOST, { refusedBy: ["Windows Server 2012", "Windows Server 2016"] }) }),
      });
      const script = iisFarm([SHOP_FILE, file], [served(HOST), RESET]);
      const old = { source: "system", name: "Windows Server 2016", version: "10.0.14393", build: 14_393, features: ["Web-CertProvider"] };
      return { ...script, evidence: { ...script.evidence, web2: { ...script.evidence?.["web2"], system: old } } };
    })(),
    first: "file-too-new-for-windows",
    nodes: ["web2"],
  },
  { cause: 15, name: "a PFX without its private key", script: certfarmFile("no-key"), first: "private-key-missing" },
  { cause: 16, name: "a PFX whose key belongs to another certificate", script: certfarmFile("key-mismatch"), first: "key-mismatch" },
  {
    cause: 21,
    name: "a name two levels below the wildcard's",
    script: iisFarm([SHOP_FILE, centralFile("_.example.com.pfx")], [RESET, RESET], "a.b.example.com"),
    first: "wildcard-depth",
  },
  {
    cause: 21,
    name: "a wildcard that is served two levels below, seen from outside",
    script: {
      cells: Object.fromEntries(
        ["web1", "web2"].map((node) => [
          node,
          { ...SHOP_WELL, "a.b.example.com": wrong("*.example.com", { subject: "CN=*.example.com", dnsNames: ["*.example.com"] }) },
        ]),
      ),
    },
    first: "wildcard-depth",
  },
  ...["*.example.com.pfx", `${HOST}-all.pfx`, `${HOST}.p12`, String.raw`old\www.example.com.pfx`, "example.com.pfx"].map(
    (name): CatalogueRow => ({
      cause: 22,
      name: `a file that is named ${name}`,
      script: { ...iisFarm([SHOP_FILE, centralFile(name, { label: HOST })], [RESET, RESET]), changes: {} },
      first: "file-misnamed",
    }),
  ),
  {
    cause: 23,
    name: "a certificate for two names with a file for one of them",
    script: iisFarm(
      [SHOP_FILE, holding("example.com.pfx", "example.com", { dnsNames: ["example.com", HOST].map(pattern) })],
      [RESET, RESET],
    ),
    first: "san-copy-missing",
  },
  {
    cause: 24,
    name: "a file that promises a host which its certificate does not name",
    script: iisFarm(
      [SHOP_FILE, centralFile(`${HOST}.pfx`, { label: "old.example.org" })],
      [wrong("old.example.org"), wrong("old.example.org")],
    ),
    first: "certificate-lacks-host",
  },
  {
    cause: 25,
    name: "the file of an international name under its A-label",
    script: iisFarm([SHOP_FILE, centralFile("xn--bcher-kva.example.pfx")], [RESET, RESET], "xn--bcher-kva.example"),
    first: "idn-file-name",
  },
  {
    cause: 25,
    name: "the file of an international name in decomposed letters",
    script: iisFarm(
      [SHOP_FILE, centralFile("bücher.example.pfx".normalize("NFD"), { label: "xn--bcher-kva.example" })],
      [RESET, RESET],
      "xn--bcher-kva.example",
    ),
    first: "idn-file-name",
  },
  {
    cause: 27,
    name: "renewed hours ago, and one node serves the former certificate",
    script: {
      cells: { web1: { ...SHOP_WELL, [HOST]: served(HOST) }, web2: { ...SHOP_WELL, [HOST]: FORMER } },
      evidence: { web1: certfarmNode([SHOP, HOST]), web2: certfarmNode([SHOP, HOST]) },
    },
    first: "stale-certificate",
    nodes: ["web2"],
  },
  {
    cause: 26,
    name: "a file of its own beside the wildcard's, and a node that goes on with the wildcard",
    script: {
      ...iisFarm([SHOP_FILE, centralFile("_.example.com.pfx"), centralFile(`${HOST}.pfx`)], [served(HOST), WILDCARD]),
    },
    first: "certificate-twins",
    nodes: ["web2"],
  },
  {
    cause: 26,
    name: "two files that differ in case alone, one node with each",
    script: iisFarm(
      [SHOP_FILE, centralFile(`${HOST}.pfx`), holding("WWW.example.com.pfx", "former", { notBefore: at(-100), notAfter: at(20) })],
      [served(HOST), served("former", { subject: `CN=${HOST}`, dnsNames: [HOST], notBefore: at(-100), notAfter: at(20) })],
    ),
    first: "certificate-twins",
  },
  {
    cause: 27,
    name: "renewed two minutes ago: only a notice",
    script: iisFarm([SHOP_FILE, centralFile(`${HOST}.pfx`, { modifiedAt: at(-2 / 1_440) })], [served(HOST), FORMER]),
    first: "stale-certificate",
    nodes: ["web2"],
  },
  {
    cause: 27,
    name: "one node serves the former certificate, seen from outside",
    script: { cells: { web1: { ...SHOP_WELL, [HOST]: served(HOST) }, web2: { ...SHOP_WELL, [HOST]: FORMER } } },
    first: "stale-certificate",
    nodes: ["web2"],
  },
  {
    cause: 28,
    name: "the renewal reached one of the two files of a certificate",
    script: iisFarm(
      [
        holding("www.example.com.pfx", HOST, { dnsNames: [HOST, SHOP].map(pattern) }),
        holding(`${SHOP}.pfx`, "former", { dnsNames: [HOST, SHOP].map(pattern), notBefore: at(-80), notAfter: at(10) }),
      ],
      [served(HOST), served(HOST)],
    ),
    first: "partial-publish",
  },
  { cause: 29, name: "a file that was cut off while it was copied", script: certfarmFile("malformed"), first: "file-damaged" },
  {
    cause: 30,
    name: "the replica of one IIS server holds the former file",
    script: {
      cells: { web1: { ...SHOP_WELL, [HOST]: served(HOST) }, web2: { ...SHOP_WELL, [HOST]: FORMER } },
      evidence: {
        web1: iisNode([SHOP, HOST]),
        web2: iisNode([SHOP, HOST], {
          central: centralStore([
            SHOP_FILE,
            holding(`${HOST}.pfx`, "former", { notBefore: at(-100), notAfter: at(5) }, { modifiedAt: at(-100) }),
          ]),
        }),
      },
    },
    first: "replica-behind",
    nodes: ["web2"],
  },
  {
    cause: 30,
    name: "the replica of one IIS server lacks a file",
    script: {
      cells: { web1: { ...SHOP_WELL, [HOST]: served(HOST) }, web2: { ...SHOP_WELL, [HOST]: RESET } },
      evidence: { web1: iisNode([SHOP, HOST]), web2: iisNode([SHOP, HOST], { central: centralStore([SHOP_FILE]) }) },
    },
    first: "replica-behind",
    nodes: ["web2"],
  },
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
