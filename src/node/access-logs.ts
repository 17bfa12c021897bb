import { toFarmError, type Clock, type Log } from "../base/index.ts";
import type { Limits } from "../config/index.ts";
import { noAccessLog, openAccessLog, type AccessLog, type OpenAccessLog } from "../web/index.ts";

/** The node's access log, in the format that the configuration asks for at the moment. */
export interface AccessLogs extends AccessLog {
  /** Never throws: a log that cannot be written is told to the node's own log, and requests go on. */
  use(format: Limits["accessLog"]): Promise<void>;
  close(): Promise<void>;
}

/** No log until `use`. */
export function createAccessLogs(parts: { readonly dir: string; readonly clock: Clock; readonly log: Log }): AccessLogs {
  let open: OpenAccessLog | undefined;
  let current: AccessLog = noAccessLog;
  let used: Limits["accessLog"] = "off";

  const close = async (): Promise<void> => {
    const old = open;
    open = undefined;
    current = noAccessLog;
    await old?.close();
  };

  return {
    record: (entry) => current.record(entry),
    async use(format) {
      if (format === used) return;
      used = format;
      await close();
      if (format === "off") return;
      try {
        open = await openAccessLog({ dir: parts.dir, format, clock: parts.clock });
        current = open;
      } catch (error) {
        used = "off";
        parts.log.error("requests are not logged", { problem: toFarmError(error).message });
      }
    },
    close,
  };
}
