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
export { MAX_PROXY_HEADER_BYTES, parseProxyHeader, proxyHeader, type ProxyHeaderReading } from "./proxy-header.ts";
