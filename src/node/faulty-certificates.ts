import type { CentralCertificates, CertificateChange, FileReport } from "../certificates/index.ts";
import type { CentralView, FileKnowledge } from "../handshake/index.ts";
import type { PreparedCertificate } from "../pki/index.ts";

/** How a drill makes some certificate files look to a node. */
export interface CertificateFault {
  /** Files that are concerned. */
  readonly files: ReadonlySet<string>;
  /** What selection is told of such a file; undefined = that it is not there. @default the truth */
  readonly knowledge?: (known: FileKnowledge) => FileKnowledge | undefined;
  /** What the node tells of it; undefined = nothing. @default the truth */
  readonly report?: (report: FileReport) => FileReport | undefined;
  /** What is served. @default the truth */
  readonly prepared?: (file: string) => PreparedCertificate | undefined;
  /** Names that the node seems to list in place of these files. */
  readonly listedAs?: readonly string[];
}

/** Central certificates that look otherwise while a drill wants them to. */
export interface FaultyCertificates extends CentralCertificates {
  /** As they are. */
  readonly real: CentralCertificates;
  readonly fault: CertificateFault | undefined;
  /** Begins a fault, or ends it; those who follow the certificates are told. */
  set(fault: CertificateFault | undefined): void;
}

/** No fault yet. */
export function faultyCertificates(real: CentralCertificates): FaultyCertificates {
  const listeners = new Set<(change: CertificateChange) => void>();
  let fault: CertificateFault | undefined;
  const view = faultyView(real.view, () => fault);
  return {
    real,
    view,
    get fault() {
      return fault;
    },
    set(next) {
      const files = [...new Set([...(fault?.files ?? []), ...(next?.files ?? [])])];
      fault = next;
      for (const listener of listeners) listener({ files, listingChanged: true });
    },
    async prepared(file) {
      if (fault?.prepared === undefined || !fault.files.has(file)) return real.prepared(file);
      return fault.prepared(file);
    },
    reports(limit) {
      const { report, files } = fault ?? {};
      const reports = real.reports(limit);
      if (report === undefined || files === undefined) return reports;
      return reports.flatMap((one) => (files.has(one.file) ? (report(one) ?? []) : [one]));
    },
    onChange(listener) {
      listeners.add(listener);
      const end = real.onChange(listener);
      return () => {
        listeners.delete(listener);
        end();
      };
    },
    read: (files, options) => real.read(files, options),
    refresh: (files) => real.refresh(files),
    counts: () => real.counts(),
    get staleSince() {
      return real.staleSince;
    },
    get isListed() {
      return real.isListed;
    },
    listed: () => real.listed(),
    look: (files) => real.look(files),
    close: () => real.close(),
  };
}

function faultyView(view: CentralView, faultNow: () => CertificateFault | undefined): CentralView {
  const seen = (known: FileKnowledge): FileKnowledge | undefined => {
    const fault = faultNow();
    return fault?.knowledge === undefined || !fault.files.has(known.file) ? known : fault.knowledge(known);
  };
  return {
    candidates(host) {
      const found = view.candidates(host);
      if (faultNow()?.knowledge === undefined) return found;
      return found.flatMap(({ via, knowledge }) => {
        const shown = seen(knowledge);
        return shown === undefined ? [] : [{ via, knowledge: shown }];
      });
    },
    file(name) {
      const known = view.file(name);
      return known === undefined ? undefined : seen(known);
    },
  };
}
