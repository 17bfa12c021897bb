import type { Rule } from "../rule.ts";
import { addressOfTwoMachines } from "./address-of-two-machines.ts";
import { alpnDiffers } from "./alpn-differs.ts";
import { anyRowCatchesMisses } from "./any-row-catches-misses.ts";
import { balancerEndsTls } from "./balancer-ends-tls.ts";
import { balancerFails } from "./balancer-fails.ts";
import { balancerKeepsDeadNode } from "./balancer-keeps-dead-node.ts";
import { balancerStripsSni } from "./balancer-strips-sni.ts";
import { bindingFlagsDiffer } from "./binding-flags-differ.ts";
import { centralFeatureMissing } from "./central-feature-missing.ts";
import { centralPasswordDiffers } from "./central-password-differs.ts";
import { centralRowMissing } from "./central-row-missing.ts";
import { centralStoreCredential } from "./central-store-credential.ts";
import { centralStoreDisabled } from "./central-store-disabled.ts";
import { centralStoreLocationDiffers } from "./central-store-location-differs.ts";
import { centralStoreUnreachable } from "./central-store-unreachable.ts";
import { certificateExpired } from "./certificate-expired.ts";
import { certificateExpiresSoon } from "./certificate-expires-soon.ts";
import { certificateFileMissing } from "./certificate-file-missing.ts";
import { certificateLacksHost } from "./certificate-lacks-host.ts";
import { certificateNotYetValid } from "./certificate-not-yet-valid.ts";
import { certificateTwins } from "./certificate-twins.ts";
import { certificatesDiffer } from "./certificates-differ.ts";
import { chainDiffers } from "./chain-differs.ts";
import { chainExpired } from "./chain-expired.ts";
import { clientCertificateRequired } from "./client-certificate-required.ts";
import { clientsWithoutSni } from "./clients-without-sni.ts";
import { clockSkew } from "./clock-skew.ts";
import { configurationBehind } from "./configuration-behind.ts";
import { configurationUnusable } from "./configuration-unusable.ts";
import { connectionRefused } from "./connection-refused.ts";
import { connectionTimesOut } from "./connection-times-out.ts";
import { contentDiffers } from "./content-differs.ts";
import { defaultCertificateForName } from "./default-certificate-for-name.ts";
import { dnsDoesNotResolve } from "./dns-does-not-resolve.ts";
import { dnsMissesNodes } from "./dns-misses-nodes.ts";
import { dnsNamesOtherServers } from "./dns-names-other-servers.ts";
import { fileDamaged } from "./file-damaged.ts";
import { fileMisnamed } from "./file-misnamed.ts";
import { fileTooNewForWindows } from "./file-too-new-for-windows.ts";
import { fileUnreadable } from "./file-unreadable.ts";
import { fileUnsupported } from "./file-unsupported.ts";
import { foreignProcessOnPort } from "./foreign-process-on-port.ts";
import { foreignProtocolOnTlsPort } from "./foreign-protocol-on-tls-port.ts";
import { foreignRowOwner } from "./foreign-row-owner.ts";
import { handshakeTimesOut } from "./handshake-times-out.ts";
import { hostRowMissing } from "./host-row-missing.ts";
import { hostsFileOverride } from "./hosts-file-override.ts";
import { idnFileName } from "./idn-file-name.ts";
import { intermediateInRootStore } from "./intermediate-in-root-store.ts";
import { intermediateMissing } from "./intermediate-missing.ts";
import { ipRowMissesTraffic } from "./ip-row-misses-traffic.ts";
import { ipRowShadows } from "./ip-row-shadows.ts";
import { ipv6RowAnswers } from "./ipv6-row-answers.ts";
import { issuerUntrusted } from "./issuer-untrusted.ts";
import { keyMismatch } from "./key-mismatch.ts";
import { keyNotReadable } from "./key-not-readable.ts";
import { keySpecWrong } from "./key-spec-wrong.ts";
import { keyTypesDiffer } from "./key-types-differ.ts";
import { legacyBindingData } from "./legacy-binding-data.ts";
import { nameRefused } from "./name-refused.ts";
import { noCommonCipher } from "./no-common-cipher.ts";
import { nodeDraining } from "./node-draining.ts";
import { nodeFailsSometimes } from "./node-fails-sometimes.ts";
import { nodeResetsEveryHandshake } from "./node-resets-every-handshake.ts";
import { nodeServesOneCertificate } from "./node-serves-one-certificate.ts";
import { nodeSilent } from "./node-silent.ts";
import { nodeSlow } from "./node-slow.ts";
import { partialPublish } from "./partial-publish.ts";
import { passwordWrong } from "./password-wrong.ts";
import { plainHttpOnTlsPort } from "./plain-http-on-tls-port.ts";
import { portNotOpen } from "./port-not-open.ts";
import { privateKeyMissing } from "./private-key-missing.ts";
import { proxyProtocolMismatch } from "./proxy-protocol-mismatch.ts";
import { redirectionDiffers } from "./redirection-differs.ts";
import { refusalsGrowing } from "./refusals-growing.ts";
import { replicaBehind } from "./replica-behind.ts";
import { requestFails } from "./request-fails.ts";
import { requestForged } from "./request-forged.ts";
import { rowCertificateMissing } from "./row-certificate-missing.ts";
import { rowStoreNameWrong } from "./row-store-name-wrong.ts";
import { sanCopyMissing } from "./san-copy-missing.ts";
import { siteStopped } from "./site-stopped.ts";
import { staleCertificate } from "./stale-certificate.ts";
import { stapleMissing } from "./staple-missing.ts";
import { startedBeforeStore } from "./started-before-store.ts";
import { statusDiffers } from "./status-differs.ts";
import { storeSelfTestFailed } from "./store-self-test-failed.ts";
import { storeStale } from "./store-stale.ts";
import { tableDrift } from "./table-drift.ts";
import { ticketKeysDiffer } from "./ticket-keys-differ.ts";
import { tlsInterception } from "./tls-interception.ts";
import { tlsVersionsDiffer } from "./tls-versions-differ.ts";
import { trailingDotDiffers } from "./trailing-dot-differs.ts";
import { weakCertificate } from "./weak-certificate.ts";
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
  bindingFlagsDiffer,
  centralFeatureMissing,
  centralPasswordDiffers,
  centralRowMissing,
  centralStoreCredential,
  centralStoreDisabled,
  centralStoreLocationDiffers,
  centralStoreUnreachable,
  certificateExpired,
  certificateExpiresSoon,
  certificateFileMissing,
  certificateLacksHost,
  certificateNotYetValid,
  certificateTwins,
  certificatesDiffer,
  chainDiffers,
  chainExpired,
  clientCertificateRequired,
  clientsWithoutSni,
  clockSkew,
  configurationBehind,
  configurationUnusable,
  connectionRefused,
  connectionTimesOut,
  contentDiffers,
  defaultCertificateForName,
  dnsDoesNotResolve,
  dnsMissesNodes,
  dnsNamesOtherServers,
  fileDamaged,
  fileMisnamed,
  fileTooNewForWindows,
  fileUnreadable,
  fileUnsupported,
  foreignProcessOnPort,
  foreignProtocolOnTlsPort,
  foreignRowOwner,
  handshakeTimesOut,
  hostRowMissing,
  hostsFileOverride,
  idnFileName,
  intermediateInRootStore,
  intermediateMissing,
  ipRowMissesTraffic,
  ipRowShadows,
  ipv6RowAnswers,
  issuerUntrusted,
  keyMismatch,
  keyNotReadable,
  keySpecWrong,
  keyTypesDiffer,
  legacyBindingData,
  nameRefused,
  noCommonCipher,
  nodeDraining,
  nodeFailsSometimes,
  nodeResetsEveryHandshake,
  nodeServesOneCertificate,
  nodeSilent,
  nodeSlow,
  partialPublish,
  passwordWrong,
  plainHttpOnTlsPort,
  portNotOpen,
  privateKeyMissing,
  proxyProtocolMismatch,
  redirectionDiffers,
  refusalsGrowing,
  replicaBehind,
  requestFails,
  requestForged,
  rowCertificateMissing,
  rowStoreNameWrong,
  sanCopyMissing,
  siteStopped,
  staleCertificate,
  stapleMissing,
  startedBeforeStore,
  statusDiffers,
  storeSelfTestFailed,
  storeStale,
  tableDrift,
  ticketKeysDiffer,
  tlsInterception,
  tlsVersionsDiffer,
  trailingDotDiffers,
  weakCertificate,
  wildcardDepth,
  wrongCertificateForName,
];
