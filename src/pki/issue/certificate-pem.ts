/** DER as one PEM block (RFC 7468). */
export const pemBlock = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString("base64")
    .replaceAll(/(.{64})(?=.)/g, "$1\n")}\n-----END ${label}-----\n`;

/** A certificate as PEM. */
export const certificatePem = (der: Uint8Array): string => pemBlock("CERTIFICATE", der);
