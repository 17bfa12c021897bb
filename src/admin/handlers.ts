import type { Clock, Log } from "../base/index.ts";
import type { CheckParts, Operations } from "../operations/index.ts";
import { localAccess, type AccessHandlers } from "./access-handlers.ts";
import { createDoctor, createLocalDoctor } from "./doctor-handlers.ts";
import type { CallContext, Handlers, LocalHandlers } from "./handler-types.ts";
import { createIdentityHandlers, type IdentityAccess } from "./identity-handlers.ts";
import type { RouteOutput, RouteQuestion } from "./routes.ts";
import { createLocalSecrets, createSecretHandlers } from "./secret-handlers.ts";

/** Handlers that need no farm. The use cases are loaded when the first is called. */
export function createLocalHandlers(parts: CheckParts & { readonly clock: Clock; readonly log: Log }): LocalHandlers {
  return {
    "config.validate": async ({ yaml, name }) => (await import("../operations/index.ts")).validate(yaml, name),
    "config.export": async ({ product, yaml, name }) => ({
      text: (await import("../operations/index.ts")).exportBalancer(product, yaml, name),
    }),
    "certificates.check": async ({ files, passwordFile }, { signal }) => {
      const { checkFilesHere } = await import("../operations/index.ts");
      const request = { files, signal, ...(passwordFile === undefined ? {} : { passwordFile }) };
      return { files: await checkFilesHere(parts, request) };
    },
    ...createLocalDoctor(parts),
    ...localAccess,
    ...createLocalSecrets(),
  };
}

const HISTORY = 50;
const REFUSALS = 200;
const DRILLS = 20;

/** Handlers of every route but those of access, over a farm; without identities it is one of a single machine. */
export function createHandlers(
  operations: Operations,
  local: LocalHandlers,
  identities?: IdentityAccess,
): Omit<Handlers, keyof AccessHandlers> {
  const { config, nodes } = operations;
  return {
    ...local,
    status: () => operations.status(),
    "config.plan": ({ yaml, base }) => config.plan(yaml, base),
    "config.apply": (input) => config.apply(input),
    "config.rollback": (input) => config.rollback(input),
    "config.awaitProved": (input, { signal, onProgress }) =>
      config.awaitProved({ ...input, signal, onProgress: (progress) => void onProgress(progress) }),
    "config.history": async ({ limit = HISTORY }) => ({ revisions: await config.history(limit) }),
    "config.show": ({ number }) => config.show(number),
    "config.diff": ({ from, to }) => config.diff(from, to),
    "certificates.list": (input, context) => listCertificates(operations, input, context),
    "bindings.show": async ({ node, format = "table" }) => ({ nodes: await nodes.bindings(node, format) }),
    "bindings.add": ({ node, ...row }) => nodes.addBinding(node, row),
    "bindings.delete": ({ node, row }) => nodes.deleteBinding(node, row),
    explain: async ({ node, ...question }) => ({ nodes: await nodes.explain(node, question) }),
    refusals: ({ limit = REFUSALS, ...input }) => nodes.refusals({ ...input, limit }),
    prove: async ({ node, hosts }) => ({ nodes: await nodes.prove(node, hosts) }),
    drain: async ({ node, by }) => {
      await operations.drain(node, by);
      return { node };
    },
    undrain: async ({ node }) => {
      await operations.undrain(node);
      return { node };
    },
    "content.list": async () => ({ folders: await operations.content.list() }),
    "content.publish": ({ folder, digest }) => operations.content.publish(folder, digest),
    ...createDoctor(operations),
    ...createIdentityHandlers(identities),
    ...createSecretHandlers(operations),
    "drill.list": async () => ({ drills: operations.drills.list() }),
    "drill.start": (input, { signal }) => operations.drills.start({ ...input, signal }),
    "drill.stop": async ({ name }, { signal }) => ({ drills: await operations.drills.stop(name, signal) }),
    "drill.score": async ({ limit = DRILLS }) => ({ drills: await operations.drills.score(limit) }),
  };
}

/** Each file goes out in a line of progress as soon as it is read: a store may hold a hundred thousand. */
async function listCertificates(
  operations: Operations,
  { filter }: RouteQuestion<"certificates.list">,
  { signal, onProgress }: CallContext<"certificates.list">,
): Promise<RouteOutput<"certificates.list">> {
  let at = { done: 0, total: 0 };
  const request = { signal, onProgress: (progress: typeof at) => void (at = progress), ...(filter === undefined ? {} : { filter }) };
  let usable = 0;
  for await (const file of operations.listCertificates(request)) {
    if (file.reading.status === "ok") usable += 1;
    await onProgress({ ...at, file });
  }
  return { files: at.done, usable };
}
