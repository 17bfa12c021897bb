import type { Socket } from "node:net";

/** The node's open connections, bounded, and ended together when it drains. */
export interface ConnectionRegister {
  /** False when the bound is reached: the connection is not counted and must be refused. */
  add(socket: Socket): boolean;
  readonly open: number;
  setMax(max: number): void;
  /** Resolves when the last connection has ended, at the latest after `graceMs`, when those left are cut. */
  drain(graceMs: number): Promise<void>;
}

/** An empty register. */
export function createConnectionRegister(initialMax: number): ConnectionRegister {
  const open = new Set<Socket>();
  let max = initialMax;
  let onEmpty: (() => void) | undefined;

  return {
    add(socket) {
      if (open.size >= max) return false;
      open.add(socket);
      socket.once("close", () => {
        open.delete(socket);
        if (open.size === 0) onEmpty?.();
      });
      return true;
    },
    get open() {
      return open.size;
    },
    setMax(bound) {
      max = bound;
    },
    drain: (graceMs) =>
      new Promise((resolve) => {
        if (open.size === 0) return resolve();
        const timer = setTimeout(() => {
          for (const socket of open) socket.destroy();
          resolve();
        }, graceMs);
        onEmpty = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
  };
}
