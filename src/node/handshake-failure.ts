const codeOf = (error: Error): string => ("code" in error && typeof error.code === "string" ? error.code : "");

/** Whether the handshake ended because of the client's own certificate, seen from here (not because the client disliked ours). */
export function isClientCertificateFailure(error: Error): boolean {
  const code = codeOf(error);
  if (code.includes("ALERT")) return false;
  return code === "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE" || /CERT|UNABLE_TO|SELF_SIGNED/.test(code);
}

/** Why a handshake failed, in OpenSSL's words: `ERR_SSL_NO_SHARED_CIPHER` becomes `no shared cipher`. */
export function describeFailure(error: Error): string {
  const code = codeOf(error);
  if (code.startsWith("ERR_SSL_")) return code.slice("ERR_SSL_".length).toLowerCase().replaceAll("_", " ");
  return code === "ERR_TLS_HANDSHAKE_TIMEOUT" ? "the client did not finish the handshake in time" : error.message.slice(0, 200);
}
