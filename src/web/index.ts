/** What a site does with a request: files, proxy, redirect, errors, access log. */
export { noAccessLog, type AccessEntry, type AccessLog } from "./access-entry.ts";
export type { AccessFormat } from "./access-line.ts";
export { openAccessLog, type AccessLogSettings, type OpenAccessLog } from "./access-log.ts";
export { answerClientError, type ClientErrorKind } from "./client-error.ts";
export { httpServerOptions, type HttpServerOptions } from "./server-options.ts";
export type { ConnectionFacts, ContentTree, TlsDemands, WebHandler, WebRequest, WebResponse, WebSources } from "./types.ts";
export { createWebHandler } from "./web-handler.ts";
export type { WebOptions } from "./web-options.ts";
