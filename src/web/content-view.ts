import type { Encoding } from "./accept-encoding.ts";
import { contentPath, urlPath } from "./content-path.ts";
import { isCompressible, mediaType } from "./media-type.ts";
import type { ContentTree } from "./types.ts";

/** A file of a tree with everything about it that does not change. */
export interface ContentFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly type: string;
  readonly compressible: boolean;
  readonly lastModified: string;
  readonly modifiedS: number;
  /** Of its representations in memory: by path and time besides the digest, for they decide Content-Type and Last-Modified. */
  readonly keys: Readonly<Record<Encoding, string>>;
}

/** What a path of a request leads to. */
export type ContentTarget =
  | { readonly kind: "file"; readonly file: ContentFile }
  | { readonly kind: "directory"; readonly location: string }
  | { readonly kind: "absent" | "refused" | "malformed" };

/** A tree seen with a site's index names: paths of requests, looked up once. */
export class ContentView {
  readonly tree: ContentTree;
  readonly #index: readonly string[];
  /** By path as sent; only unescaped paths that lead to a file, so it holds no more than the tree does. */
  readonly #known = new Map<string, ContentTarget>();

  constructor(tree: ContentTree, index: readonly string[]) {
    this.tree = tree;
    this.#index = index;
  }

  find(rawPath: string): ContentTarget {
    const known = this.#known.get(rawPath);
    if (known !== undefined) return known;
    const target = this.#look(rawPath);
    if (target.kind === "file" && !rawPath.includes("%")) this.#known.set(rawPath, target);
    return target;
  }

  #look(rawPath: string): ContentTarget {
    const parsed = contentPath(rawPath);
    if (parsed.kind !== "path") return parsed;
    const { path } = parsed;
    const isFolder = path === "" || path.endsWith("/");
    const file = isFolder ? this.#indexOf(path) : this.#file(path);
    if (file !== undefined) return { kind: "file", file };
    // A folder is known by its index file; the slash makes relative links of that file right.
    if (!isFolder && this.#indexOf(`${path}/`) !== undefined) return { kind: "directory", location: `${urlPath(path)}/` };
    return { kind: "absent" };
  }

  #indexOf(folder: string): ContentFile | undefined {
    for (const name of this.#index) {
      const file = this.#file(folder + name);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  #file(path: string): ContentFile | undefined {
    const facts = this.tree.files.get(path);
    if (facts === undefined) return undefined;
    const type = mediaType(path);
    const modifiedS = Math.floor(facts.mtimeMs / 1000);
    const key = `${facts.sha256}|${modifiedS}|${path}`;
    return {
      path,
      size: facts.size,
      sha256: facts.sha256,
      type,
      compressible: isCompressible(type),
      lastModified: new Date(modifiedS * 1000).toUTCString(),
      modifiedS,
      keys: { identity: `identity|${key}`, br: `br|${key}`, gzip: `gzip|${key}` },
    };
  }
}
