import type { Transport } from "./client.ts";
import type { Caller } from "./caller.ts";
import type { Dispatch } from "./dispatch.ts";

/** Whoever runs a process may do with it what it can. */
const HERE: Caller = { name: "this process", role: "admin", by: "local" };

/** Calls in this process; answers go through JSON, so that they are what a caller over HTTP would get. */
export function directTransport(dispatch: Dispatch, caller: Caller = HERE): Transport {
  return async (name, input, { signal, onProgress }) => {
    const result = await dispatch(name, input, {
      caller,
      signal,
      onProgress: (progress) => {
        onProgress(JSON.parse(JSON.stringify(progress)));
        return Promise.resolve();
      },
    });
    return JSON.parse(JSON.stringify(result)) as unknown;
  };
}
