import { centralFile, centralStore, certfarmNode, fileFacts, fileReading, iisNode, pattern } from "../evidence.ts";
import { at, RESET, served, wrong } from "../examination.ts";
import { certfarmFile, FORMER, holding, iisFarm, SHOP_FILE, SHOP_WELL, WILDCARD } from "../file-scripts.ts";
import { HOST, SHOP } from "../wire-scripts.ts";
import type { CatalogueRow } from "./catalogue-row.ts";

/** Causes that rules of tier "host" name: files and their names. */
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
];
