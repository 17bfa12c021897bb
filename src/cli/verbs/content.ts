import type { StoreSettings } from "../../store/store-options.ts";
import type { ExitCode, Session } from "../session.ts";
import { formatTable } from "../table.ts";
import { clean, count, formatTime } from "../text.ts";

const TELL_EVERY = 500;

/** `certfarm content push`. */
export async function pushContent(
  session: Session,
  { site, dir, store }: { readonly site: string; readonly dir: string; readonly store: StoreSettings },
): Promise<ExitCode> {
  const { host } = session;
  const client = await session.farm();
  const onFile = (done: number, total: number): void => {
    if (done % TELL_EVERY === 0) host.err.write(`${done} of ${count(total, "file")}\n`);
  };
  const { digest } = await (await host.store()).sendContent(store, { from: dir, folder: site, onFile });
  const published = await client.call("content.publish", { folder: site, digest });
  if (session.json) session.printJson({ ...published, digest });
  else
    session.print(
      `${session.paint("green", "✓")} ${clean(site)} is published: ${count(published.files, "file")}, ${published.bytes} octets; see who has it with: certfarm content status`,
    );
  return 0;
}

/** `certfarm content status`: 1 when a folder has a problem or a node is behind. */
export async function contentStatus(session: Session): Promise<ExitCode> {
  const client = await session.farm();
  const { folders } = await client.call("content.list", {});
  const isWell = folders.every(({ problem, nodes }) => problem === undefined && nodes.every(({ isCurrent }) => isCurrent));
  if (session.json) session.printJson({ folders });
  else if (folders.length === 0) session.print("no content is published");
  else {
    const rows = folders.map(({ folder, files = 0, bytes = 0, at, from = "", problem, nodes }) => {
      const behind = nodes.filter(({ isCurrent }) => !isCurrent).map(({ node }) => node);
      const state = problem ?? (behind.length === 0 ? "" : `behind: ${behind.join(", ")}`);
      const sign = state === "" ? session.paint("green", "✓") : session.paint("yellow", "≠");
      const who = `${nodes.length - behind.length} of ${nodes.length}`;
      return [sign, clean(folder), from, String(files), String(bytes), at === undefined ? "" : formatTime(at), who, clean(state)];
    });
    session.print(formatTable(["", "SITE", "FROM", "FILES", "OCTETS", "SINCE", "NODES", ""], rows, session));
  }
  return isWell ? 0 : 1;
}
