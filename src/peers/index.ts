/** Servers of other makes: what their configurations say, as evidence. Files and names only; nothing is dialled. */
export { readHaproxy } from "./read-haproxy.ts";
export { readNginx } from "./read-nginx.ts";
export type { ConfigFile, FindFiles, PeerNote, PeerReading } from "./types.ts";
