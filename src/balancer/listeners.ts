import { createServer, type Server } from "node:net";

import { FarmError, formatEndpoint, ipFamily, systemCode, type Endpoint, type IpAddress } from "../base/index.ts";
import { SOCKET_HIGH_WATER_MARK, type Lane } from "./connection.ts";
import type { ConnectionTable } from "./connection-table.ts";
import type { BalancerSettings } from "./settings.ts";

interface Listener {
  readonly lane: Lane;
  readonly server: Server;
}

/** A listener as state() shows it. */
export interface ListenerState {
  readonly address: IpAddress;
  readonly bindingPort: number;
  readonly port: number;
  readonly protocol: "http" | "https";
  /** Why it does not listen. */
  readonly problem?: string;
}

/** Lets a server listen on a socket that was bound before this process gave up the right to; false when there is none. */
export type Adopt = (server: Server, endpoint: Endpoint) => boolean;

type Wanted = Omit<Lane, "wildcard">;

const keyOf = (wanted: Wanted): string => `${wanted.address} ${wanted.port} ${wanted.bindingPort}`;

/** The listening sockets, one for each address and port. */
export class Listeners {
  readonly #table: ConnectionTable;
  readonly #adopt: Adopt;
  readonly #open = new Map<string, Listener>();
  #failed: ListenerState[] = [];

  constructor(table: ConnectionTable, adopt: Adopt = () => false) {
    this.#table = table;
    this.#adopt = adopt;
  }

  get state(): readonly ListenerState[] {
    const open = [...this.#open.values()].map(({ lane }) => {
      return { address: lane.address, bindingPort: lane.bindingPort, port: lane.port, protocol: lane.protocol };
    });
    return [...open, ...this.#failed];
  }

  /**
   * Opens and closes listeners until they are the wanted ones. Connections that are there stay.
   * @throws BALANCER_LISTEN_FAILED after everything else was done, when a port cannot be had; the next apply tries it again
   */
  async apply(settings: BalancerSettings): Promise<void> {
    const wanted = new Map(wantedLanes(settings).map((lane) => [keyOf(lane), lane]));
    for (const [key, listener] of this.#open) {
      const protocol = wanted.get(key)?.protocol;
      if (protocol !== undefined) listener.lane.protocol = protocol;
      else this.#close(key, listener);
    }
    this.#failed = [];
    const only6 = settings.balancer.addresses.some((address) => ipFamily(address) === 4);
    for (const [key, lane] of wanted) {
      if (!this.#open.has(key)) await this.#listen(key, lane, only6);
    }
    const [first] = this.#failed;
    if (first !== undefined) {
      throw new FarmError("BALANCER_LISTEN_FAILED", `the balancer cannot listen on ${formatEndpoint(first)}: ${first.problem ?? ""}`, {
        facts: { address: first.address, port: first.port, failed: this.#failed.length },
      });
    }
  }

  async #listen(key: string, wanted: Wanted, only6: boolean): Promise<void> {
    const lane: Lane = { ...wanted, wildcard: wanted.address === "0.0.0.0" || wanted.address === "::" };
    const server = createServer({ allowHalfOpen: true, noDelay: true, highWaterMark: SOCKET_HIGH_WATER_MARK }, (client) => {
      this.#table.accept(client, lane);
    });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject).once("listening", resolve);
        if (this.#adopt(server, lane)) return;
        server.listen({ host: lane.address, port: lane.port, ipv6Only: lane.address === "::" && only6, backlog: 4096 });
      });
    } catch (error) {
      const problem = describe(error);
      this.#failed.push({ ...wanted, problem });
      return;
    }
    // Nothing to do for a listening socket that fails later (EMFILE and the like): it goes on accepting.
    server.on("error", () => undefined);
    this.#open.set(key, { lane, server });
  }

  #close(key: string, listener: Listener): void {
    this.#open.delete(key);
    listener.server.close();
  }

  /** Stops listening; connections stay. */
  closeAll(): void {
    for (const [key, listener] of this.#open) this.#close(key, listener);
  }
}

function describe(error: unknown): string {
  if (systemCode(error) !== "EACCES") return systemCode(error) ?? String(error);
  const account = process.getuid?.() ?? "?";
  return `account ${account} may not open this port (PORT_DENIED): restart the balancer if it was started as root with --user, else give it CAP_NET_BIND_SERVICE`;
}

function wantedLanes({ balancer, protocols }: BalancerSettings): readonly Wanted[] {
  return balancer.addresses.flatMap((address) =>
    [...balancer.ports].map(([bindingPort, port]) => ({ address, bindingPort, port, protocol: protocols.get(bindingPort) ?? "https" })),
  );
}
