/** What a site does with a request: files, proxy, redirect, errors, access log. */
export type { ConnectionFacts, ContentTree, WebHandler, WebRequest, WebResponse, WebSources } from "./types.ts";
