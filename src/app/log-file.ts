import { createWriteStream, renameSync, statSync, type WriteStream } from "node:fs";

/** A log on the disk that never grows beyond twice its bound: the part before the present one is kept as `PATH.1`. */
export interface LogFile {
  write(text: string): void;
  end(): void;
}

const MAX_BYTES = 16 * 1024 * 1024;
/** After a failure (a full disk) lines are dropped for this long. */
const REOPEN_MS = 5_000;
/** Text that waits for a slow or full disk; more is dropped. */
const MAX_WAITING = 4 * 1024 * 1024;

/** Goes on with the file at `path`. Problems go to `failed`; what cannot be written is dropped. */
export function openLogFile(path: string, failed: (problem: string) => void, maxBytes = MAX_BYTES): LogFile {
  let bytes = sizeOf(path);
  let openedMs = 0;
  const open = (): WriteStream => {
    openedMs = performance.now();
    return createWriteStream(path, { flags: "a", mode: 0o600 }).on("error", (error) => failed(error.message));
  };
  let stream = open();

  /** Streams write to the file they opened, whatever its name is by then: what waits in the old one ends up in `PATH.1`. */
  const rotate = (): void => {
    if (stream.pending) return; // not opened yet
    stream.end();
    try {
      renameSync(path, `${path}.1`);
    } catch (error) {
      failed(String(error));
    }
    stream = open();
    bytes = 0;
  };

  return {
    write(text) {
      if (bytes >= maxBytes) rotate();
      if (stream.destroyed && performance.now() - openedMs > REOPEN_MS) stream = open();
      if (stream.writableLength > MAX_WAITING || stream.destroyed) return;
      bytes += Buffer.byteLength(text);
      stream.write(text);
    },
    end() {
      stream.end();
    },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
