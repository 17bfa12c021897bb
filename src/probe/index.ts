/** Dials an address as a client and tells what it saw. */
export { probeTls, type ProbeOptions } from "./probe-tls.ts";
