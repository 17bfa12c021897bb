/** A TLS 1.2 ClientHello record with one cipher suite and, unless it is undefined, a server_name extension. */
export function clientHello(serverName: string | undefined): Buffer {
  const extensions = serverName === undefined ? [] : [serverNameExtension(serverName)];
  const body = Buffer.concat([
    Buffer.from("0303", "hex"),
    Buffer.alloc(32, 7),
    Buffer.from("000002c02b0100", "hex"),
    sized(2, Buffer.concat(extensions)),
  ]);
  return Buffer.concat([Buffer.from("160301", "hex"), sized(2, Buffer.concat([Buffer.from("01", "hex"), sized(3, body)]))]);
}

function serverNameExtension(name: string): Buffer {
  const entry = Buffer.concat([Buffer.from("00", "hex"), sized(2, Buffer.from(name, "latin1"))]);
  return Buffer.concat([Buffer.from("0000", "hex"), sized(2, sized(2, entry))]);
}

function sized(octets: number, content: Buffer): Buffer {
  const length = Buffer.alloc(octets);
  length.writeUIntBE(content.length, 0, octets);
  return Buffer.concat([length, content]);
}
