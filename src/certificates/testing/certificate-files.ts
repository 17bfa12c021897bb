import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a test's certificate is like. */
export interface TestCertificate {
  readonly names: readonly string[];
  readonly key?: "rsa" | "ecdsa";
  /** `yyyymmddhhmmssZ` */
  readonly from?: string;
  readonly until?: string;
}

/** A certificate and its key, made by OpenSSL. */
export interface TestFiles {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Certificate and key in one file. */
  readonly pem: Buffer;
  readonly pfx: (password: string) => Buffer;
}

/** Makes a self-signed certificate with the `openssl` command. */
export function makeCertificate(wanted: TestCertificate): TestFiles {
  const { names, key = "ecdsa", from, until } = wanted;
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  const openssl = (...args: string[]): Buffer => execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  try {
    const algorithm = key === "rsa" ? ["rsa:2048"] : ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    const san = `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`;
    openssl("req", "-new", "-newkey", ...algorithm, "-nodes", "-keyout", "k.pem", "-out", "r.pem", "-subj", `/CN=${names[0]}`);
    writeFileSync(join(folder, "san"), san);
    writeFileSync(join(folder, "ca.cnf"), CA);
    writeFileSync(join(folder, "index"), "");
    const dates = ["-startdate", from ?? "20200101000000Z", "-enddate", until ?? "20990101000000Z"];
    openssl(
      "ca",
      "-batch",
      "-config",
      "ca.cnf",
      "-selfsign",
      "-keyfile",
      "k.pem",
      "-in",
      "r.pem",
      "-out",
      "c.pem",
      "-extfile",
      "san",
      "-notext",
      ...dates,
    );
    const certificate = readFileSync(join(folder, "c.pem"));
    const keyPem = readFileSync(join(folder, "k.pem"));
    const pfx = (password: string): Buffer => exportPfx(certificate, keyPem, password);
    return { certificate, key: keyPem, pem: Buffer.concat([certificate, keyPem]), pfx };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const CA = `[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
`;

function exportPfx(certificate: Buffer, key: Buffer, password: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  try {
    // OpenSSL reads its input twice, for the key and for the certificates: it must be a file.
    writeFileSync(join(folder, "both.pem"), Buffer.concat([certificate, key]));
    return execFileSync("openssl", ["pkcs12", "-export", "-in", "both.pem", "-passout", `pass:${password}`], { cwd: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
