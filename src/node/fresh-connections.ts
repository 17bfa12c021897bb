/** A client that has just connected is about to ask something; one that has not after this long is kept for later, as browsers do. */
export const FIRST_REQUEST_MS = 3_000;

/** Connections whose first request has not come yet: to close one of them loses a request that its client takes for sent. */
export class FreshConnections {
  readonly #since = new Map<object, number>();

  add(connection: object): void {
    this.#since.set(connection, performance.now());
  }

  /** Its first request came, or it is closed. */
  remove(connection: object): void {
    this.#since.delete(connection);
  }

  has(connection: object): boolean {
    return this.#since.has(connection);
  }

  /** Whether a first request can be expected on one of them any moment. */
  isExpecting(): boolean {
    const now = performance.now();
    for (const since of this.#since.values()) if (now - since < FIRST_REQUEST_MS) return true;
    return false;
  }
}
