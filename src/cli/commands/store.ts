import type { Command } from "commander";

import { STORE_OPTIONS } from "../../store/store-options.ts";
import type { Act } from "../act.ts";
import { examples } from "../options.ts";
import { backupPlace, checkPlace, copyPlaces, restorePlace } from "../verbs/store.ts";

/** `store …`. */
export function addStoreVerbs(program: Command, act: Act): void {
  const store = program
    .command("store")
    .summary("try, move, back up and restore a farm's store; needs no farm that runs")
    .description(
      "What is done with a store itself (docs/store-verbs.md). A place is a directory, or etcds://USER@HOST:PORT,HOST:PORT/PREFIX.",
    );
  addCheck(store, act);
  addCopy(store, act);
  addBackup(store, act);
  addRestore(store, act);
}

/** The options of a place that is given as an argument. */
function placeOptions(command: Command): Command {
  for (const { name, flag, value, help, environment } of STORE_OPTIONS)
    if (name !== "place") command.option(`--${flag} <${value}>`, `${help} (else ${environment})`);
  return command;
}

function addCheck(store: Command, act: Act): void {
  const check = store
    .command("check [place]")
    .summary("whether a farm can live there, and how fast it is")
    .description(
      "Writes, reads, compares, watches, leases and deletes in a corner of its own, which is removed again; a farm that is there is not touched. " +
        "Tells the time of each step, and of etcd each member, who leads, sizes and alarms; of a directory rename, links, flushes and events. " +
        "Exits with 0 when all is well, 1 when something is slow or wrong. Without a place: the one of CERTFARM_STORE.",
    )
    .action(act((session, { arguments: [place], options }) => checkPlace(session, place, options)));
  placeOptions(check);
  examples(
    check,
    "store check /srv/farm",
    "store check etcds://farm@etcd1:2379,etcd2:2379,etcd3:2379/shop --store-password-file password.txt --blobs s3://shop-blobs --json",
  );
}

function addCopy(store: Command, act: Act): void {
  const copy = store
    .command("copy <from> <to>")
    .summary("move a farm to another store while it runs")
    .description(
      "Copies keys, files and blobs, follows changes until both are level, and compares everything by SHA-256. With --follow it goes on until Ctrl-C, so " +
        "that processes can be switched over meanwhile. Requests under way and held leases stay behind. A place that holds another farm is refused. " +
        "Can be run again after an interruption. Exits with 1 when something differs or was left out.",
    )
    .option("--follow", "follow changes until Ctrl-C")
    .action(act((session, { arguments: [from, to], options }) => copyPlaces(session, { from: String(from), to: String(to) }, options)));
  for (const side of ["from", "to"] as const)
    for (const { name, flag, value, help } of STORE_OPTIONS)
      if (name !== "place") copy.option(`--${side}-${flag} <${value}>`, `${help}, of ${side.toUpperCase()}`);
  examples(
    copy,
    "store copy /srv/farm etcds://etcd1:2379,etcd2:2379,etcd3:2379/shop --to-blobs /srv/blobs --follow",
    "store copy /srv/farm /mnt/share/farm",
  );
}

function addBackup(store: Command, act: Act): void {
  const backup = store
    .command("backup <place> <file>")
    .summary("everything of a farm in one file, while it runs")
    .description(
      "Writes a tar archive with the digest of every entry: keys, files and blobs. Sealed values stay sealed; the farm key is not in it. " +
        "A file that exists is refused without --overwrite.",
    )
    .option("--overwrite", "replace a file that exists, once the new one is whole")
    .action(
      act((session, { arguments: [place, file], options }) => backupPlace(session, { place: String(place), file: String(file) }, options)),
    );
  placeOptions(backup);
  examples(backup, "store backup /srv/farm farm.tar", "store backup etcd://127.0.0.1:2379/shop shop.tar --blobs /srv/blobs");
}

function addRestore(store: Command, act: Act): void {
  const restore = store
    .command("restore <file> <place>")
    .summary("make a store from a backup")
    .description(
      "Verifies the whole backup first; one that was cut off or altered is refused by the name of the entry, and nothing is written. A place that is not " +
        "empty is refused; with --overwrite the same farm's place becomes what the backup says, and what is not in it is removed.",
    )
    .option("--overwrite", "also into a place that holds the same farm's data")
    .option("--dry-run", "verify the backup, and write nothing")
    .action(
      act((session, { arguments: [file, place], options }) => restorePlace(session, { place: String(place), file: String(file) }, options)),
    );
  placeOptions(restore);
  examples(restore, "store restore farm.tar /srv/farm", "store restore farm.tar /srv/farm --dry-run");
}
