import { run } from "../run.ts";

/** A connection that `openssl s_client` makes. */
export interface OpenSslRequest {
  readonly port: number;
  /** @default "127.0.0.1" */
  readonly address?: string;
  /** undefined = no SNI is sent. */
  readonly serverName: string | undefined;
  /** Checked against the certificate. @default the server name */
  readonly verifyName?: string;
  readonly caFile: string;
  readonly options?: readonly string[];
}

/** What OpenSSL saw. */
export interface OpenSslAnswer {
  /** 0 = handshake and verification went well. */
  readonly code: number | null;
  readonly protocol: string | undefined;
  readonly cipher: string | undefined;
  /** `ECDSA`, `RSA-PSS`, ... as the server signed. */
  readonly signature: string | undefined;
  readonly verified: boolean;
  readonly resumed: boolean;
  readonly body: string;
  readonly stderr: string;
}

/** Shakes hands and asks for `/` over HTTP/1.1. */
export async function opensslClient(request: OpenSslRequest): Promise<OpenSslAnswer> {
  const { serverName, address = "127.0.0.1" } = request;
  const verifyName = request.verifyName ?? serverName;
  const target = address.includes(":") ? `[${address}]:${request.port}` : `${address}:${request.port}`;
  const common = ["s_client", "-connect", target, "-CAfile", request.caFile, "-verify_return_error", "-ign_eof"];
  const { code, stdout, stderr } = await run(
    "openssl",
    [
      ...common,
      ...(serverName === undefined ? ["-noservername"] : ["-servername", serverName]),
      ...(verifyName === undefined ? [] : ["-verify_hostname", verifyName]),
      ...(request.options ?? []),
    ],
    { input: `GET / HTTP/1.1\r\nHost: ${verifyName ?? "localhost"}\r\nConnection: close\r\n\r\n` },
  );
  const fact = (pattern: RegExp): string | undefined => pattern.exec(stdout)?.[1];
  return {
    code,
    protocol: fact(/^(?:New|Reused), (TLSv1\.\d)/m),
    cipher: fact(/Cipher is (\S+)/),
    signature: fact(/^Peer signature type: (\S+)/m),
    verified: stdout.includes("Verify return code: 0 (ok)"),
    resumed: /^Reused, /m.test(stdout),
    body: stdout.slice(Math.max(0, stdout.indexOf("HTTP/1.1"))),
    stderr,
  };
}
