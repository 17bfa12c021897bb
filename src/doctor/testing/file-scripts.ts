import type { CertificateFacts, FileStatus } from "../../pki/index.ts";
import type { CentralFile } from "../evidence.ts";
import { seenLeaf } from "./certificates.ts";
import { centralFile, centralStore, certfarmNode, certificateFacts, fileFacts, fileReading, iisNode, pattern } from "./evidence.ts";
import { at, served, type CellScript, type Script } from "./examination.ts";
import { alert, HOST, SHOP } from "./wire-scripts.ts";

/** The host that is well everywhere. */
export const SHOP_WELL = { [SHOP]: served(SHOP) };
/** certfarm has a file that it cannot use. */
export const UNUSABLE = alert("internal_error");
/** What the doctor read itself. */
export const share = (...files: readonly CentralFile[]): NonNullable<Script["changes"]> => ({ central: { source: "share", files } });

/** Two IIS servers that list the same files; the doctor opened them on the share. */
export const iisFarm = (files: readonly CentralFile[], outcomes: readonly [CellScript, CellScript], host = HOST): Script => ({
  cells: { web1: { ...SHOP_WELL, [host]: outcomes[0] }, web2: { ...SHOP_WELL, [host]: outcomes[1] } },
  evidence: {
    web1: iisNode([SHOP, host], { central: centralStore(files.map(({ reading: _reading, ...file }) => file)) }),
    web2: iisNode([SHOP, host], { central: centralStore(files.map(({ reading: _reading, ...file }) => file)) }),
  },
  changes: share(...files),
});

/** Two certfarm nodes with these files. */
export const certfarmFarm = (files: readonly CentralFile[], outcomes: readonly [CellScript, CellScript], host = HOST): Script => ({
  cells: { web1: { ...SHOP_WELL, [host]: outcomes[0] }, web2: { ...SHOP_WELL, [host]: outcomes[1] } },
  evidence: {
    web1: certfarmNode([SHOP, host], { central: { source: "certificates", files } }),
    web2: certfarmNode([SHOP, host], { central: { source: "certificates", files } }),
  },
});

/** A file of the host that reading found to be so. */
export const fileWith = (status: FileStatus, changes: Partial<CentralFile> = {}): CentralFile =>
  centralFile(`${HOST}.pfx`, { reading: fileReading(HOST, status), ...changes });

/** Two certfarm nodes whose file for the host has this status. */
export const certfarmFile = (status: FileStatus): Script => certfarmFarm([SHOP_FILE, fileWith(status)], [UNUSABLE, UNUSABLE]);

/** A file with these facts of its certificate. */
export const holding = (name: string, label: string, leaf: Partial<CertificateFacts>, changes: Partial<CentralFile> = {}): CentralFile =>
  centralFile(name, {
    label,
    reading: fileReading(label, "ok", {
      facts: fileFacts(label, { leaf: certificateFacts(label, { dnsNames: [pattern(HOST)], ...leaf }) }),
    }),
    ...changes,
  });

/** The certificate from before the renewal, which goes on for some days. */
export const FORMER = served("former", { subject: `CN=${HOST}`, dnsNames: [HOST], notBefore: at(-100), notAfter: at(5) });

/** Every node alike. */
export const everywhere = (outcome: CellScript): Script => ({ cells: { web1: { [HOST]: outcome }, web2: { [HOST]: outcome } } });

/** The leaf without its intermediate. */
export const ALONE = served(HOST, { verified: "UNABLE_TO_VERIFY_LEAF_SIGNATURE", chainLength: 1, chain: [seenLeaf(HOST)] });

/** The wildcard, served for the host. */
export const WILDCARD = served("*.example.com");

/** The file of the host that is well. */
export const SHOP_FILE = centralFile(`${SHOP}.pfx`);
