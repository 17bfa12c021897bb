/** What a ClientHello says, which certificate it gets, and how it is refused. */
export { alertRecord } from "./alert.ts";
export { decide } from "./decide.ts";
export { describeHello } from "./describe-hello.ts";
export { MAX_PROXY_HEADER_BYTES, parseProxyHeader, proxyHeader, type ProxyHeaderReading } from "./proxy-header.ts";
export { readHello } from "./read-hello.ts";
export { serverNameOf } from "./server-name.ts";
export { formatSteps, formatTrail } from "./trail.ts";
export type {
  AlertName,
  CandidateVia,
  CentralView,
  ChosenCertificate,
  ClientHello,
  Decision,
  FileKnowledge,
  HelloReading,
  LeafFacts,
  RefusalCode,
  SelectionInput,
  ServerName,
  TrailStep,
} from "./types.ts";
