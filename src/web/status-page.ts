import { STATUS_CODES } from "node:http";

import type { Exchange, FlatHeaders } from "./exchange.ts";

/** What a page says beyond its status. */
export interface StatusPage {
  readonly status: number;
  /** One sentence for the person who reads it. Nothing secret, nothing of the node's inside. */
  readonly detail: string;
  readonly headers?: FlatHeaders;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => ESCAPES[char] ?? char);

/** Answers with a small page of its own, or with JSON when the client prefers it. */
export function answerStatus(exchange: Exchange, page: StatusPage): void {
  const accept = exchange.request.headers.accept ?? "";
  const body = prefersJson(accept) ? jsonBody(page) : htmlBody(page);
  const headers = [
    "Content-Type",
    prefersJson(accept) ? "application/problem+json" : "text/html; charset=utf-8",
    "Content-Length",
    String(Buffer.byteLength(body)),
    "Cache-Control",
    "no-store",
    "X-Content-Type-Options",
    "nosniff",
    "Content-Security-Policy",
    "default-src 'none'; style-src 'unsafe-inline'",
    ...(page.headers ?? []),
  ];
  exchange.reply(page.status, headers, body);
}

/** JSON is named before HTML, or HTML is not named. */
function prefersJson(accept: string): boolean {
  const json = accept.search(/application\/(?:problem\+)?json/i);
  const html = accept.search(/text\/html/i);
  return json >= 0 && (html < 0 || json < html);
}

/** RFC 9457. */
const jsonBody = (page: StatusPage): string =>
  `${JSON.stringify({ title: STATUS_CODES[page.status] ?? "Error", status: page.status, detail: page.detail })}\n`;

function htmlBody(page: StatusPage): string {
  const title = `${page.status} ${STATUS_CODES[page.status] ?? "Error"}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36em;margin:15vh auto;padding:0 1em}h1{font-size:1.4em}</style>
</head>
<body>
<h1>${title}</h1>
<p>${escapeHtml(page.detail)}</p>
</body>
</html>
`;
}
