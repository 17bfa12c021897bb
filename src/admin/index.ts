/** One table of routes: an HTTP server, an OpenAPI document, and calls in this process. */
export { ADMIN_FILE, type AdminFile } from "./admin-file.ts";
export type { AdminClient, Transport } from "./client.ts";
export { createAccessHandlers } from "./access-handlers.ts";
export { createDispatch, type Dispatch } from "./dispatch.ts";
export { directTransport } from "./direct-transport.ts";
export type { Handlers, LocalHandlers } from "./handler-types.ts";
export { createHandlers, createLocalHandlers } from "./handlers.ts";
export type { IdentityAccess } from "./identity-handlers.ts";
export { startAdminServer, type AdminServer, type AdminSettings } from "./server.ts";
export { createLogIn, type LogIn } from "./log-in.ts";
export { createTokens, type Tokens } from "./tokens.ts";
export { openToken, writePrivately } from "./token.ts";
