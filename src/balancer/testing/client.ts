import { connect, type Socket } from "node:net";

import { systemCode } from "../../base/index.ts";

/** A TCP client that keeps what it receives. */
export class Client {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  /** Its own port, also after it closed. */
  localPort = 0;
  readonly #changes: (() => void)[] = [];
  ended = false;
  closed = false;
  /** Code of the error that ended it: ECONNRESET after a reset. */
  error: string | undefined;

  constructor(port: number, host: string = "127.0.0.1") {
    this.socket = connect({ port, host, allowHalfOpen: true });
    this.socket.on("connect", () => this.#change(() => (this.localPort = this.socket.localPort ?? 0)));
    this.socket.on("data", (chunk: Buffer) => this.#change(() => (this.received = Buffer.concat([this.received, chunk]))));
    this.socket.on("end", () => this.#change(() => (this.ended = true)));
    this.socket.on("error", (error) => (this.error = systemCode(error)));
    this.socket.on("close", () => this.#change(() => (this.closed = true)));
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  #change(change: () => void): void {
    change();
    for (const wake of this.#changes.splice(0)) wake();
  }

  /** Settles when the condition holds; looks again at every event of the socket. */
  async until(condition: (client: this) => boolean): Promise<this> {
    while (!condition(this)) {
      if (this.closed) throw new Error(`the connection closed first; received ${JSON.stringify(this.text.slice(0, 200))}`);
      await new Promise<void>((resolve) => this.#changes.push(resolve));
    }
    return this;
  }

  /** The name of the node that greeted. */
  async greeting(): Promise<string> {
    await this.until(() => this.text.includes(":"));
    return this.text.slice(0, this.text.indexOf(":"));
  }

  /** Settles when the other side ended the connection. */
  async gone(): Promise<this> {
    return this.until(() => this.closed);
  }

  async close(): Promise<void> {
    this.socket.destroy();
  }
}
