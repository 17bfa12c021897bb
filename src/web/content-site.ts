import send from "send";

import { chooseEncoding } from "./accept-encoding.ts";
import { etagOf, representationHeaders, type BodyCache, type CachedBody } from "./body-cache.ts";
import type { ContentFile, ContentView } from "./content-view.ts";
import type { Exchange } from "./exchange.ts";
import { notModified, onlyRevalidates } from "./preconditions.ts";
import { answerRedirect } from "./redirect.ts";
import { answerStatus, type StatusPage } from "./status-page.ts";

const NOT_FOUND: StatusPage = { status: 404, detail: "There is nothing at this address." };
const BROKEN_PATH: StatusPage = { status: 400, detail: "The address is not written correctly." };
const UNREADABLE: StatusPage = { status: 500, detail: "The file cannot be read on this server at the moment." };

/** Answers from a content tree. */
export function serveContent(exchange: Exchange, view: ContentView, bodies: BodyCache): void {
  const { method } = exchange.request;
  if (method !== "GET" && method !== "HEAD") {
    answerMethod(exchange);
    return;
  }
  const target = view.find(exchange.target.path);
  if (target.kind === "file") serveFile(exchange, view, target.file, bodies);
  else if (target.kind === "directory") answerRedirect(exchange, 301, target.location + exchange.target.query);
  // A refused path looks like an absent one: what is hidden is not told.
  else answerStatus(exchange, target.kind === "malformed" ? BROKEN_PATH : NOT_FOUND);
}

function answerMethod(exchange: Exchange): void {
  const headers = ["Allow", "GET, HEAD, OPTIONS"];
  if (exchange.request.method === "OPTIONS") exchange.reply(204, headers, undefined);
  else answerStatus(exchange, { status: 405, detail: "This site serves files: it can be read, not written to.", headers });
}

function serveFile(exchange: Exchange, view: ContentView, file: ContentFile, bodies: BodyCache): void {
  const { scan } = exchange;
  const form = bodies.form(file, file.compressible ? chooseEncoding(scan.acceptEncoding) : "identity");
  if (scan.conditional) {
    const { headers } = exchange.request;
    if (!onlyRevalidates(headers)) {
      streamFile(exchange, view, file);
      return;
    }
    const encoding = form === "stream" ? "identity" : form;
    if (notModified(headers, { etag: etagOf(file, encoding), modifiedS: file.modifiedS })) {
      replyNotModified(exchange, file, etagOf(file, encoding));
      return;
    }
  }
  if (form === "stream") {
    streamFile(exchange, view, file);
    return;
  }
  const body = bodies.get(file, form);
  if (body === undefined) void loadAndReply(exchange, view, file, bodies);
  else replyBody(exchange, body);
}

function replyBody(exchange: Exchange, body: CachedBody): void {
  exchange.replyWhole(200, body.headersWith(exchange.extra), body.bytes);
}

function replyNotModified(exchange: Exchange, file: ContentFile, etag: string): void {
  const vary = file.compressible ? ["Vary", "Accept-Encoding"] : [];
  exchange.reply(304, ["ETag", etag, "Cache-Control", "no-cache", ...vary], undefined);
}

async function loadAndReply(exchange: Exchange, view: ContentView, file: ContentFile, bodies: BodyCache): Promise<void> {
  const form = bodies.form(file, chooseEncoding(exchange.scan.acceptEncoding));
  try {
    const body = form === "stream" ? undefined : await bodies.load(view.tree.root, file, form);
    if (body === undefined) streamFile(exchange, view, file);
    else replyBody(exchange, body);
  } catch (thrown) {
    // A file that its tree names but the disk lacks is this server's fault, not the client's.
    exchange.reportFault(thrown);
    answerStatus(exchange, UNREADABLE);
  }
}

/** Hands a file to `send`: ranges, preconditions, back-pressure. Always the file itself, never a compressed form. */
function streamFile(exchange: Exchange, view: ContentView, file: ContentFile): void {
  const { request, response } = exchange;
  if (!exchange.answerable) {
    exchange.logNow(0, 0, true);
    return;
  }
  const headers = [...representationHeaders(file, "identity"), ...exchange.extra];
  for (let at = 0; at < headers.length; at += 2) response.setHeader(headers[at] ?? "", headers[at + 1] ?? "");
  const stream = send(request, encodeURIComponent(file.path), {
    root: view.tree.root,
    dotfiles: "allow", // already decided by contentPath
    index: false,
    etag: false,
    lastModified: false,
    cacheControl: false,
  });
  stream.on("error", (error: { status?: number }) => {
    const contentRange = response.getHeader("Content-Range");
    if (error.status !== 412 && error.status !== 416) exchange.reportFault(error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    answerStatus(exchange, sendFailure(error.status, contentRange === undefined ? undefined : String(contentRange)));
  });
  stream.on("stream", (source: NodeJS.ReadableStream) => source.on("data", (chunk: Buffer) => (exchange.bytes += chunk.length)));
  exchange.logOnClose();
  stream.pipe(response as Parameters<typeof stream.pipe>[0]);
}

function sendFailure(status: number | undefined, contentRange: string | undefined): StatusPage {
  if (status === 412) return { status, detail: "The file is not the one that the request is meant for." };
  if (status === 416) {
    const headers = contentRange === undefined ? [] : ["Content-Range", contentRange];
    return { status, detail: "The file has no such part.", headers };
  }
  return UNREADABLE;
}
