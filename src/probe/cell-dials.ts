import type { Observation } from "../doctor/index.ts";
import type { Dialler } from "./dialler.ts";
import type { LookHost } from "./look-job.ts";
import type { WorkCell, WorkTarget } from "./work-cell.ts";

/** Handshakes that time out in a row at one endpoint before it is given up, and requests: each holds a place for all of its time. */
export const GIVE_UP_AFTER = 12;
const GIVE_UP_REQUESTS_AFTER = 4;

/** How a cell is dialled: the base handshake, and what takes more than one dial. `counted` is told of each dial that counts as progress. */
export class CellDials {
  readonly #dialler: Dialler;
  readonly #counted: <T>(dials: Promise<T>) => Promise<T>;

  constructor(dialler: Dialler, counted: <T>(dials: Promise<T>) => Promise<T>) {
    this.#dialler = dialler;
    this.#counted = counted;
  }

  /** A handshake that times out is tried once more: one flake is no fault. */
  async baseHandshake(target: WorkTarget, { name }: LookHost): Promise<Observation> {
    const first = await this.#dialler.probe("sni", target, name);
    if (first.outcome.kind !== "timeout") {
      target.silent = 0;
      return first;
    }
    target.silent += 1;
    if (target.silent >= GIVE_UP_AFTER) return first;
    const second = await this.#dialler.probe("sni", target, name);
    if (second.outcome.kind !== "timeout") target.silent = 0;
    return { ...second, attempts: 2 };
  }

  async request(cell: WorkCell): Promise<void> {
    const { target, host } = cell;
    if (target.silentRequests >= GIVE_UP_REQUESTS_AFTER) {
      target.skippedRequests += 1;
      cell.probes.http11 = await this.#counted(this.#dialler.probe("http11", target, host.name));
      return;
    }
    const { observation, request, late } = await this.#counted(this.#dialler.request(target, host.name));
    target.silentRequests = late ? target.silentRequests + 1 : 0;
    cell.probes.http11 = observation;
    // A server of HTTP/2 alone is no failure of a request.
    const { outcome } = observation;
    if (outcome.kind !== "alert" || outcome.alert !== "no_application_protocol") cell.request = request;
  }

  /** Version 1 of the header, which all know; version 2 where that does not help. */
  async withHeader({ target, host }: WorkCell): Promise<Observation> {
    const first = await this.#dialler.probe("proxy-header", target, host.name, { proxyHeader: 1 });
    if (first.outcome.kind === "served") return first;
    const second = await this.#dialler.probe("proxy-header", target, host.name, { proxyHeader: 2 });
    return second.outcome.kind === "served" ? second : first;
  }

  /** A session from this endpoint, offered to it again; the one it gives then is kept for another node. A ticket is used once. */
  async ownSession(cell: WorkCell): Promise<void> {
    const { target, host } = cell;
    let session: Buffer | undefined;
    const onSession = (given: Buffer): void => void (session = given);
    await this.#dialler.probe("sni", target, host.name, { onSession });
    if (session !== undefined)
      cell.probes["own-session"] = await this.#dialler.probe("own-session", target, host.name, { session, onSession });
    if (session !== undefined) cell.session = session;
    await this.#counted(Promise.resolve());
  }

  async otherSession(cell: WorkCell, from: string, session: Buffer): Promise<void> {
    cell.probes["other-session"] = await this.#counted(this.#dialler.probe("other-session", cell.target, cell.host.name, { session }));
    cell.sessionFrom = from;
  }
}
