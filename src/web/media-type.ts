import { extname } from "node:path/posix";

import { contentType } from "mime-types";

const COMPRESSIBLE =
  /^text\/|[/+](?:json|xml|javascript|wasm|manifest|x-sh|sql|rtf)\b|^image\/(?:svg|bmp|x-icon|vnd\.microsoft\.icon)|^font\/(?:ttf|otf)|^application\/vnd\.ms-fontobject/;

/** The Content-Type for a file name; unknown ones are `application/octet-stream`. */
export function mediaType(path: string): string {
  const extension = extname(path);
  const type = extension === "" ? false : contentType(extension);
  return type === false ? "application/octet-stream" : type;
}

/** Whether files of this type get smaller by compression. */
export const isCompressible = (type: string): boolean => COMPRESSIBLE.test(type);
