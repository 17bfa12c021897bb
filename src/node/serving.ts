import type { Socket } from "node:net";

import { type Clock, type Log } from "../base/index.ts";
import type { CentralCertificates } from "../certificates/index.ts";
import type { FarmConfig, Limits } from "../config/index.ts";
import type { ContentReplica } from "../replica/index.ts";
import { createWebHandler, type AccessLog, type WebHandler } from "../web/index.ts";
import type { ClientAuthorities } from "./client-authorities.ts";
import { createColdGate } from "./cold-gate.ts";
import { createConnectionRegister } from "./connections.ts";
import type { Faults } from "./faults.ts";
import { acceptFaulty } from "./faulty-accept.ts";
import { createFileVersions } from "./file-versions.ts";
import { createHelloIntake, type HelloIntake } from "./hello-intake.ts";
import { createHttpServers, type HttpServers } from "./http-servers.ts";
import { createListeners, type Adopt, type Listeners, type WantedListener } from "./listeners.ts";
import { LiveNames } from "./live-names.ts";
import { createPlainFront } from "./plain-front.ts";
import { createRefusalJournal, type RefusalJournal } from "./refusal-journal.ts";
import { createSelector, type Selector, type ServingState } from "./selection.ts";
import { createSitePolicies, type SitePolicies } from "./site-policies.ts";
import { TlsFront } from "./tls-front.ts";
import { createProxyTrust, type ProxyTrust } from "./trusted-proxies.ts";

/** What serving works with. */
export interface ServingParts {
  readonly node: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly accessLog: AccessLog;
  readonly certificates: CentralCertificates;
  readonly authorities: ClientAuthorities;
  readonly content: ContentReplica;
  readonly initial: Omit<ServingState, "epoch">;
  readonly adopt?: Adopt;
  /** Where drills act; absent = they are not allowed. */
  readonly faults?: Faults;
}

/** Cold names may take this part of the event loop while warm ones are served. */
const COLD_SHARE = 0.2;
const MAX_COLD_WAITING = 4_000;
const CA_REFRESH_MS = 5_000;
const DEFAULTS = { maxConnections: 20_000, maxLiveNames: 2_000, handshakeTimeoutMs: 10_000, headersTimeoutMs: 30_000 };

/** Everything between a listening socket and the web room, serving by one replaceable state. */
export class Serving {
  readonly selector: Selector;
  readonly journal: RefusalJournal;
  readonly connections = createConnectionRegister(DEFAULTS.maxConnections);
  readonly liveNames: LiveNames;
  readonly listeners: Listeners;
  readonly front: TlsFront;
  readonly #handler: WebHandler;
  readonly #intake: HelloIntake;
  readonly #refreshing: NodeJS.Timeout;
  #state: ServingState;
  #http: HttpServers | undefined;
  #httpLimits = "";
  #trusts: ProxyTrust = () => false;

  constructor(parts: ServingParts) {
    const { clock, log, certificates } = parts;
    this.#state = { ...parts.initial, epoch: 1 };
    const policies = createSitePolicies(parts.authorities, this.state);
    this.#handler = createHandler(parts, this.state, policies);
    this.journal = createRefusalJournal(clock);
    this.selector = createSelector({ clock, certificates, state: this.state });
    const trusts: ProxyTrust = (peer) => this.#trusts(peer);
    this.#intake = createHelloIntake(clock, { timeoutMs: () => this.#limit("handshakeTimeoutMs"), trustsProxyHeader: trusts });
    const gate = createColdGate(clock, { share: COLD_SHARE, maxWaiting: MAX_COLD_WAITING });
    const http = (): HttpServers | undefined => this.#http;
    const { journal, connections, selector } = this;
    this.front = new TlsFront({ intake: this.#intake, journal, connections, http, noteWarm: () => gate.noteWarm() });
    const versions = createFileVersions();
    this.liveNames = new LiveNames(
      {
        clock,
        selector,
        certificates,
        gate,
        state: this.state,
        policy: (serverName, port) => policies.resolve(serverName, port),
        fileVersion: (file) => versions.of(file),
        secure: this.front.secure,
        failed: this.front.failed,
      },
      DEFAULTS.maxLiveNames,
    );
    this.front.use(this.liveNames);
    certificates.onChange((change) => {
      versions.note(change.files);
      this.update({});
    });
    const plain = createPlainFront({ connections, http, trusts, headerTimeoutMs: () => this.#limit("headersTimeoutMs") });
    const { faults } = parts;
    const accept = (socket: Socket, listener: WantedListener): void => {
      if (faults !== undefined && acceptFaulty(faults, socket, listener, (one) => this.front.accept(one, listener.bindingPort))) return;
      if (listener.protocol === "https") this.front.accept(socket, listener.bindingPort);
      else plain.accept(socket, listener.bindingPort);
    };
    this.listeners = createListeners(log, accept, parts.adopt);
    this.#refreshing = this.#refreshPolicies(policies, log);
  }

  readonly state = (): ServingState => this.#state;

  /** Replaces parts of the state; connections from now on see it. */
  update(change: Partial<Omit<ServingState, "epoch">>): void {
    if (change.config !== undefined && change.config !== this.#state.config) this.#applyLimits(change.config);
    this.#state = { ...this.#state, ...change, epoch: this.#state.epoch + 1 };
  }

  /** Open connections are told that their next answer is the last; everything is served as before. */
  announceEnd(): void {
    this.#http?.announceEnd();
  }

  /** No new connections; open ones end after their answer, at the latest after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    await this.listeners.close();
    this.#http?.drain();
    await this.connections.drain(graceMs);
  }

  async close(): Promise<void> {
    clearInterval(this.#refreshing);
    this.#intake.close();
    await this.listeners.close();
    this.#http?.close();
    await this.#handler.close();
  }

  #limit(name: keyof typeof DEFAULTS): number {
    return this.#state.config?.limits[name] ?? DEFAULTS[name];
  }

  /** New limits need new HTTP servers; requests on the old ones end there. */
  #applyLimits(config: FarmConfig): void {
    this.connections.setMax(config.limits.maxConnections);
    this.liveNames.resize(config.limits.maxLiveNames);
    this.#trusts = createProxyTrust(config.balancer?.proxyProtocol === true ? config.balancer.trustedBy : []);
    const text = JSON.stringify(config.limits);
    if (text === this.#httpLimits) return;
    this.#httpLimits = text;
    this.#http?.drain();
    this.#http = createHttpServers(this.#handler, config.limits);
  }

  #refreshPolicies(policies: SitePolicies, log: Log): NodeJS.Timeout {
    const look = async (): Promise<void> => {
      if (await policies.refresh()) this.update({});
    };
    const timer = setInterval(() => {
      look().catch((error: unknown) => log.warn("client CA files cannot be looked at", { problem: String(error) }));
    }, CA_REFRESH_MS);
    return timer.unref();
  }
}

/** Before the first configuration nothing is handed to the web room, so its limits are never asked for then. */
function createHandler(parts: ServingParts, state: () => ServingState, policies: SitePolicies): WebHandler {
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
      tlsDemands: (port, host) => policies.demands(port, host),
      publicHttpsPort: (bindingPort) => {
        const { config } = state();
        return (
          config?.balancer?.ports.get(bindingPort) ??
          config?.nodes.find((node) => node.name === parts.node)?.ports.get(bindingPort) ??
          bindingPort
        );
      },
    },
    { log: parts.accessLog, clock: parts.clock, diagnostics: parts.log },
  );
}
