import { FarmError } from "../base/index.ts";
import type { FileStat, Folder } from "../store/index.ts";
import { isSealed, SEALING_BYTES } from "./envelope.ts";
import { keyNeeded } from "./farm-secrets.ts";
import { MAX_RESEALINGS, nextVersion, plainRefused, stays, type SealingRules, unlessTaken } from "./sealed-state.ts";
import { certificateName, MAX_CERTIFICATE_BYTES } from "./secret-places.ts";

/** The folder of certificates, sealed. Sizes and stamps are those of the files as they are stored; only what is read is opened. */
export function sealFolder(folder: Folder, rules: SealingRules): Folder {
  const read: Folder["read"] = async (path, { maxBytes }) => {
    const found = await folder.read(path, { maxBytes: maxBytes + SEALING_BYTES });
    if (found === undefined) return undefined;
    const name = certificateName(path);
    if (isSealed(found.bytes)) return { ...found, bytes: await rules.secrets.open(name, found.bytes) };
    if (!rules.takesPlain) throw plainRefused(name);
    if (found.bytes.byteLength > maxBytes) {
      const problem = `${name} has ${found.bytes.byteLength} octets; at most ${maxBytes} are read`;
      throw new FarmError("STORE_VALUE_TOO_LARGE", problem, { facts: { file: path, bytes: found.bytes.byteLength, maxBytes } });
    }
    return found;
  };
  return {
    ...(folder.tellsAll === undefined ? {} : { tellsAll: folder.tellsAll }),
    names: () => folder.names(),
    walk: () => folder.walk(),
    stat: (path) => folder.stat(path),
    read,
    async *open(path) {
      const found = await read(path, { maxBytes: MAX_CERTIFICATE_BYTES });
      if (found === undefined) throw new FarmError("STORE_UNAVAILABLE", `${certificateName(path)} is not there`);
      yield found.bytes;
    },
    put: (path, bytes, options = {}) => putSealed(folder, rules, { path, bytes, ...options }),
    remove: (path) => folder.remove(path),
    watch: (options) => folder.watch(options),
  };
}

interface NewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly expect?: string;
}

async function putSealed(folder: Folder, rules: SealingRules, { path, bytes, expect }: NewFile): Promise<FileStat> {
  const { secrets, takesPlain } = rules;
  const name = certificateName(path);
  if (secrets.source === undefined) {
    // A farm whose certificates are sealed gets no plain ones through a process that has forgotten its key.
    if (takesPlain && (await secrets.keyring()) === undefined) return folder.put(path, bytes, expect === undefined ? {} : { expect });
    throw keyNeeded(`${name} is to be written`);
  }
  const before = await folder.read(path, { maxBytes: MAX_CERTIFICATE_BYTES });
  let version = nextVersion(before?.bytes, name);
  let sealed = await secrets.seal(name, version, bytes);
  let stat = await folder.put(path, sealed.bytes, expect === undefined ? {} : { expect });
  for (let more = MAX_RESEALINGS; more > 0 && !(await stays(rules, sealed.generation)); more -= 1) {
    version += 1;
    sealed = await secrets.seal(name, version, bytes);
    const again = await unlessTaken(folder.put(path, sealed.bytes, { expect: stat.stamp }));
    // The rotation has sealed it anew already, or somebody wrote a newer one.
    if (again === undefined) return (await folder.stat(path)) ?? stat;
    stat = again;
  }
  return stat;
}
