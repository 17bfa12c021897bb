import type { Rule } from "../rule.ts";
import { addressOfTwoMachines } from "./address-of-two-machines.ts";
import { alpnDiffers } from "./alpn-differs.ts";
import { anyRowCatchesMisses } from "./any-row-catches-misses.ts";
import { balancerEndsTls } from "./balancer-ends-tls.ts";
import { balancerFails } from "./balancer-fails.ts";
import { balancerKeepsDeadNode } from "./balancer-keeps-dead-node.ts";
import { balancerStripsSni } from "./balancer-strips-sni.ts";
import { centralFeatureMissing } from "./central-feature-missing.ts";
import { centralPasswordDiffers } from "./central-password-differs.ts";
import { centralRowMissing } from "./central-row-missing.ts";
import { centralStoreCredential } from "./central-store-credential.ts";
import { centralStoreDisabled } from "./central-store-disabled.ts";
import { centralStoreLocationDiffers } from "./central-store-location-differs.ts";
import { centralStoreUnreachable } from "./central-store-unreachable.ts";
import { certificateFileMissing } from "./certificate-file-missing.ts";
import { certificateLacksHost } from "./certificate-lacks-host.ts";
import { clientCertificateRequired } from "./client-certificate-required.ts";
import { clientsWithoutSni } from "./clients-without-sni.ts";
import { connectionRefused } from "./connection-refused.ts";
import { connectionTimesOut } from "./connection-times-out.ts";
import { defaultCertificateForName } from "./default-certificate-for-name.ts";
import { dnsDoesNotResolve } from "./dns-does-not-resolve.ts";
import { dnsMissesNodes } from "./dns-misses-nodes.ts";
import { dnsNamesOtherServers } from "./dns-names-other-servers.ts";
import { fileDamaged } from "./file-damaged.ts";
import { fileMisnamed } from "./file-misnamed.ts";
import { fileTooNewForWindows } from "./file-too-new-for-windows.ts";
import { fileUnreadable } from "./file-unreadable.ts";
import { fileUnsupported } from "./file-unsupported.ts";
import { foreignProtocolOnTlsPort } from "./foreign-protocol-on-tls-port.ts";
import { foreignRowOwner } from "./foreign-row-owner.ts";
import { handshakeTimesOut } from "./handshake-times-out.ts";
import { hostsFileOverride } from "./hosts-file-override.ts";
import { idnFileName } from "./idn-file-name.ts";
import { ipRowMissesTraffic } from "./ip-row-misses-traffic.ts";
import { ipRowShadows } from "./ip-row-shadows.ts";
import { ipv6RowAnswers } from "./ipv6-row-answers.ts";
import { keyMismatch } from "./key-mismatch.ts";
import { keyTypesDiffer } from "./key-types-differ.ts";
import { nameRefused } from "./name-refused.ts";
import { noCommonCipher } from "./no-common-cipher.ts";
import { nodeFailsSometimes } from "./node-fails-sometimes.ts";
import { nodeResetsEveryHandshake } from "./node-resets-every-handshake.ts";
import { nodeServesOneCertificate } from "./node-serves-one-certificate.ts";
import { nodeSlow } from "./node-slow.ts";
import { passwordWrong } from "./password-wrong.ts";
import { plainHttpOnTlsPort } from "./plain-http-on-tls-port.ts";
import { privateKeyMissing } from "./private-key-missing.ts";
import { proxyProtocolMismatch } from "./proxy-protocol-mismatch.ts";
import { requestFails } from "./request-fails.ts";
import { sanCopyMissing } from "./san-copy-missing.ts";
import { siteStopped } from "./site-stopped.ts";
import { staleCertificate } from "./stale-certificate.ts";
import { startedBeforeStore } from "./started-before-store.ts";
import { statusDiffers } from "./status-differs.ts";
import { ticketKeysDiffer } from "./ticket-keys-differ.ts";
import { tlsInterception } from "./tls-interception.ts";
import { tlsVersionsDiffer } from "./tls-versions-differ.ts";
import { trailingDotDiffers } from "./trailing-dot-differs.ts";
import { wildcardDepth } from "./wildcard-depth.ts";
import { wrongCertificateForName } from "./wrong-certificate-for-name.ts";

/** Every rule, in the order of their codes. `npm run new:rule CODE` adds one. */
export const RULES: readonly Rule[] = [
  addressOfTwoMachines,
  alpnDiffers,
  anyRowCatchesMisses,
  balancerEndsTls,
  balancerFails,
  balancerKeepsDeadNode,
  balancerStripsSni,
  centralFeatureMissing,
  centralPasswordDiffers,
  centralRowMissing,
  centralStoreCredential,
  centralStoreDisabled,
  centralStoreLocationDiffers,
  centralStoreUnreachable,
  certificateFileMissing,
  certificateLacksHost,
  clientCertificateRequired,
  clientsWithoutSni,
  connectionRefused,
  connectionTimesOut,
  defaultCertificateForName,
  dnsDoesNotResolve,
  dnsMissesNodes,
  dnsNamesOtherServers,
  fileDamaged,
  fileMisnamed,
  fileTooNewForWindows,
  fileUnreadable,
  fileUnsupported,
  foreignProtocolOnTlsPort,
  foreignRowOwner,
  handshakeTimesOut,
  hostsFileOverride,
  idnFileName,
  ipRowMissesTraffic,
  ipRowShadows,
  ipv6RowAnswers,
  keyMismatch,
  keyTypesDiffer,
  nameRefused,
  noCommonCipher,
  nodeFailsSometimes,
  nodeResetsEveryHandshake,
  nodeServesOneCertificate,
  nodeSlow,
  passwordWrong,
  plainHttpOnTlsPort,
  privateKeyMissing,
  proxyProtocolMismatch,
  requestFails,
  sanCopyMissing,
  siteStopped,
  staleCertificate,
  startedBeforeStore,
  statusDiffers,
  ticketKeysDiffer,
  tlsInterception,
  tlsVersionsDiffer,
  trailingDotDiffers,
  wildcardDepth,
  wrongCertificateForName,
];
