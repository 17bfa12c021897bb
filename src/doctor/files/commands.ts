import type { CentralMake } from "./central-files.ts";

/** Names that mean themselves in sh and PowerShell alike, quoted. */
const PLAIN = /^[\p{L}\p{M}\p{N}._ ()@-]{1,200}$/u;

/** A file's name for a command: quoted when it needs it, `FILE` when no quoting would be sure. */
export function quoted(name: string): string {
  if (!PLAIN.test(name) || name.startsWith("-")) return "FILE";
  return /^[\w.]+$/.test(name) ? name : `'${name}'`;
}

/** How to write a PFX anew from what it should hold. */
export function exportAgain(name: string, make: CentralMake): string {
  const file = quoted(name);
  return make === "iis"
    ? `On a Windows machine that holds the certificate with its key: Export-PfxCertificate -Cert Cert:\\LocalMachine\\My\\THUMBPRINT -FilePath ${file} ` +
        `-Password (Read-Host -AsSecureString) -ChainOption BuildChain -CryptoAlgorithmOption TripleDES_SHA1`
    : `openssl pkcs12 -export -in chain.pem -inkey key.pem -out ${file}`;
}
