/**
 * A slow line: takes connections on ports of its own and passes what comes on to another place after a delay, each way. Over IPC it is told
 * `{ port, host, targetPort, delayMs }` and answers `{ port }` when it listens.
 */
import { connect, createServer, type Socket } from "node:net";

interface Line {
  readonly port: number;
  readonly host: string;
  readonly targetPort: number;
  readonly delayMs: number;
}

function pass(from: Socket, to: Socket, delayMs: number): void {
  from.on("data", (chunk: Buffer) => setTimeout(() => to.write(chunk), delayMs));
  from.on("end", () => setTimeout(() => to.end(), delayMs));
  from.on("error", () => setTimeout(() => to.resetAndDestroy(), delayMs));
}

process.on("message", ({ port, host, targetPort, delayMs }: Line) => {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ host, port: targetPort, allowHalfOpen: true, noDelay: true });
    pass(near, far, delayMs);
    pass(far, near, delayMs);
  });
  server.listen(port, "0.0.0.0", () => process.send?.({ port }));
});
process.on("disconnect", () => process.exit(0));
