/** The typed client of the admin API, and where to find one. Imports nothing of the rooms behind it. */
export { ADMIN_FILE, adminFileShape, type AdminFile } from "./admin-file.ts";
export { createClient, type AdminClient, type CallSettings, type Transport } from "./create-client.ts";
export { httpTransport, type HttpTransportSettings } from "./http-transport.ts";
export type { ClientIdentity } from "./server-trust.ts";
export { ROUTES, type RouteInput, type RouteName, type RouteOutput, type RouteProgress } from "./routes.ts";
export { parseToken } from "./token-text.ts";
