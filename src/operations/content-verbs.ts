import { createReports, listContent, publishSent, type PublishedContent } from "../replica/index.ts";
import type { OperationsParts } from "./parts.ts";

/** A content folder and who has it. */
export interface ContentStatus {
  readonly folder: string;
  readonly digest?: string;
  readonly files?: number;
  readonly bytes?: number;
  /** Milliseconds since 1970. */
  readonly at?: number;
  /** From `content/` of the store, or by `certfarm content push`. */
  readonly from?: "folder" | "push";
  readonly problem?: string;
  /** What the nodes that serve it have of it. */
  readonly nodes: readonly { readonly node: string; readonly isCurrent: boolean; readonly problem?: string }[];
}

/** The use cases of web content. */
export interface ContentVerbs {
  /** @throws STORE_UNAVAILABLE */
  list(): Promise<readonly ContentStatus[]>;
  /** Publishes a manifest that was sent. @throws as publishSent */
  publish(folder: string, digest: string): Promise<{ readonly folder: string; readonly files: number; readonly bytes: number }>;
}

/** Over the store and the nodes' reports. */
export function createContentVerbs(parts: OperationsParts): ContentVerbs {
  return {
    async list() {
      const [published, reports] = await Promise.all([listContent(parts), createReports(parts.store, parts).all()]);
      return published.map((one) => {
        const nodes = reports.flatMap(({ report: { node, content } }) =>
          content
            .filter(({ folder }) => folder === one.folder)
            .map(({ digest, problem }) => ({
              node,
              isCurrent: digest === one.pointer?.digest,
              ...(problem === undefined ? {} : { problem }),
            })),
        );
        return { ...statusOf(one), nodes };
      });
    },
    async publish(folder, digest) {
      const { files, bytes } = await publishSent(parts, folder, digest);
      return { folder, files, bytes };
    },
  };
}

function statusOf({ folder, pointer, problem }: PublishedContent): Omit<ContentStatus, "nodes"> {
  const told = problem === undefined ? {} : { problem };
  if (pointer === undefined) return { folder, ...told };
  const { digest, files, bytes, at, pushed } = pointer;
  return { folder, digest, files, bytes, at, from: pushed === true ? "push" : "folder", ...told };
}
