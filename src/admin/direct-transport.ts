import type { Transport } from "./client.ts";
import type { Dispatch } from "./dispatch.ts";

/** Calls in this process; answers go through JSON, so that they are what a caller over HTTP would get. */
export function directTransport(dispatch: Dispatch): Transport {
  return async (name, input, { signal, onProgress }) => {
    const result = await dispatch(name, input, {
      signal,
      onProgress: (progress) => {
        onProgress(JSON.parse(JSON.stringify(progress)));
        return Promise.resolve();
      },
    });
    return JSON.parse(JSON.stringify(result)) as unknown;
  };
}
