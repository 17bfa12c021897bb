import type { Socket } from "node:net";

import { type Clock, type Log } from "../base/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import type { FarmConfig, Limits } from "../config/index.ts";
import type { ContentReplica } from "../replica/index.ts";
import type { Folder } from "../store/index.ts";
import { createWebHandler, type AccessLog, type WebHandler } from "../web/index.ts";
import { createColdGate } from "./cold-gate.ts";
import { createConnectionRegister, type ConnectionRegister } from "./connections.ts";
import { createFileVersions } from "./file-versions.ts";
import { createHelloIntake } from "./hello-intake.ts";
import { createHttpServers, type HttpServers } from "./http-servers.ts";
import { createListeners, type Listeners } from "./listeners.ts";
import { LiveNames } from "./live-names.ts";
import { createPlainFront } from "./plain-front.ts";
import { createRefusalJournal, type RefusalJournal } from "./refusal-journal.ts";
import { createSelector, type Selector, type ServingState } from "./selection.ts";
import { createSitePolicies } from "./site-policies.ts";
import { TlsFront } from "./tls-front.ts";
import { createProxyTrust, type ProxyTrust } from "./trusted-proxies.ts";

/** Everything between a listening socket and the web room, serving by one replaceable state. */
export interface Serving {
  readonly selector: Selector;
  readonly journal: RefusalJournal;
  readonly connections: ConnectionRegister;
  readonly liveNames: LiveNames;
  readonly listeners: Listeners;
  readonly front: TlsFront;
  readonly state: () => ServingState;
  /** Replaces parts of the state; connections from now on see it. */
  update(change: Partial<Omit<ServingState, "epoch">>): void;
  /** No new connections; open ones end after their answer, at the latest after `graceMs`. */
  drain(graceMs: number): Promise<void>;
  close(): Promise<void>;
}

/** What serving works with. */
export interface ServingParts {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly accessLog: AccessLog;
  readonly certificates: CentralCertificates;
  readonly certificateFolder: Folder;
  readonly content: ContentReplica;
  readonly initial: Omit<ServingState, "epoch">;
}

/** Cold names may take this part of the event loop while warm ones are served. */
const COLD_SHARE = 0.2;
const MAX_COLD_WAITING = 4_000;
const CA_REFRESH_MS = 5_000;
const DEFAULTS = { maxConnections: 20_000, maxLiveNames: 2_000, handshakeTimeoutMs: 10_000, headersTimeoutMs: 30_000 };

/** Serving that waits for its first configuration. */
export function createServing(parts: ServingParts): Serving {
  const { clock, log } = parts;
  let state: ServingState = { ...parts.initial, epoch: 1 };
  let http: HttpServers | undefined;
  let httpLimits = "";
  let trusts: ProxyTrust = () => false;
  const getState = (): ServingState => state;

  const bump = (change: Partial<ServingState> = {}): void => {
    state = { ...state, ...change, epoch: state.epoch + 1 };
  };
  const versions = createFileVersions();
  parts.certificates.onChange((change) => {
    versions.note(change.files);
    bump();
  });

  const handler = createHandler(parts, getState);
  const journal = createRefusalJournal(clock);
  const connections = createConnectionRegister(DEFAULTS.maxConnections);
  const gate = createColdGate(clock, { share: COLD_SHARE, maxWaiting: MAX_COLD_WAITING });
  const limit = (name: keyof typeof DEFAULTS): number => state.config?.limits[name] ?? DEFAULTS[name];
  const intake = createHelloIntake(clock, { timeoutMs: () => limit("handshakeTimeoutMs"), trustsProxyHeader: (peer) => trusts(peer) });
  const front = new TlsFront({ intake, journal, connections, http: () => http, noteWarm: () => gate.noteWarm() });
  const plain = createPlainFront({
    connections,
    http: () => http,
    trusts: (peer) => trusts(peer),
    headerTimeoutMs: () => limit("headersTimeoutMs"),
  });
  const selector = createSelector({ clock, certificates: parts.certificates, state: getState });
  const policies = createSitePolicies(parts.certificateFolder, getState);
  const liveNames = new LiveNames(
    {
      clock,
      selector,
      certificates: parts.certificates,
      gate,
      state: getState,
      policy: (serverName, port) => policies.resolve(serverName, port),
      fileVersion: (file) => versions.of(file),
      secure: front.secure,
      failed: front.failed,
    },
    DEFAULTS.maxLiveNames,
  );
  front.use(liveNames);
  const listeners = createListeners(log, (socket: Socket, listener) => {
    if (listener.protocol === "https") front.accept(socket, listener.bindingPort);
    else plain.accept(socket, listener.bindingPort);
  });
  const refreshing = setInterval(() => {
    policies.refresh().then(
      (changed) => (changed ? bump() : undefined),
      (error: unknown) => log.warn("client CA files cannot be looked at", { problem: String(error) }),
    );
  }, CA_REFRESH_MS);
  refreshing.unref();

  /** New limits need new HTTP servers; requests on the old ones end there. */
  const applyLimits = (config: FarmConfig): void => {
    connections.setMax(config.limits.maxConnections);
    liveNames.resize(config.limits.maxLiveNames);
    trusts = createProxyTrust(config.balancer?.proxyProtocol === true ? config.balancer.trustedBy : []);
    const text = JSON.stringify(config.limits);
    if (text === httpLimits) return;
    httpLimits = text;
    http?.drain();
    http = createHttpServers(handler, config.limits);
  };

  return {
    selector,
    journal,
    connections,
    liveNames,
    listeners,
    front,
    state: getState,
    update(change) {
      if (change.config !== undefined && change.config !== state.config) applyLimits(change.config);
      bump(change);
    },
    async drain(graceMs) {
      await listeners.close();
      http?.drain();
      await connections.drain(graceMs);
    },
    async close() {
      clearInterval(refreshing);
      intake.close();
      await listeners.close();
      http?.close();
      await handler.close();
    },
  };
}

/** Before the first configuration nothing is handed to the web room, so its limits are never asked for then. */
function createHandler(parts: ServingParts, state: () => ServingState): WebHandler {
  const limits = (): Limits => {
    const config = state().config;
    if (config === undefined) throw new Error("no request can come before the first configuration");
    return config.limits;
  };
  return createWebHandler(
    {
      node: parts.node,
      sites: () => state().sites ?? { find: () => undefined, httpsHosts: [] },
      limits,
      content: (folder) => parts.content.tree(folder),
      publicHttpsPort: (bindingPort) => {
        const { config } = state();
        return (
          config?.balancer?.ports.get(bindingPort) ??
          config?.nodes.find((node) => node.name === parts.node)?.ports.get(bindingPort) ??
          bindingPort
        );
      },
    },
    { log: parts.accessLog, clock: parts.clock },
  );
}
