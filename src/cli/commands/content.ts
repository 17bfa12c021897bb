import type { Command } from "commander";

import type { Act } from "../act.ts";
import { examples } from "../options.ts";
import { storeOf, storeOptions } from "../store-options.ts";
import { contentStatus, pushContent } from "../verbs/content.ts";

/** `content …`. */
export function addContentVerbs(program: Command, act: Act): void {
  const content = program
    .command("content")
    .summary("web content: publish a folder, see who has it")
    .description(
      "Publishes folders of web content into any kind of store, and shows which nodes have the newest of each (docs/content.md).",
    );
  const push = storeOptions(
    content
      .command("push <site> <dir>")
      .summary("publish a folder as the content of a site")
      .description(
        "Puts the files of a folder into the store's blobs, then makes them the content of the site at once: nodes serve all of the former or all of the " +
          "new. From then on the site is published by this command alone. Sends only what the store does not have.",
      ),
  ).action(
    act((session, { arguments: [site, dir], options }) =>
      pushContent(session, { site: String(site), dir: String(dir), store: storeOf(options, session.host.environment) }),
    ),
  );
  examples(push, "content push shop ./public --store etcds://certfarm@db1,db2,db3/farm --store-password-file pw --blobs /mnt/blobs");
  const status = content
    .command("status")
    .summary("what is published, and which nodes have it")
    .description("Shows every content folder and which nodes have the newest of it. Exits with 1 when one has a problem or is behind.")
    .action(act((session) => contentStatus(session)));
  examples(status, "content status", "content status --json");
}
