/**
 * The largest text that is read, in octets. The table of a server with 10,000 host rows has 15 MiB as `netsh` prints it, its
 * applicationHost.config 10 MiB; an evidence file holds both. As UTF-16 each is twice that.
 */
export const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/** Lines that are not blank: 10,000 rows of the newest Windows have 450,000. */
export const MAX_LINES = 1_000_000;

/** The longest line that is looked at; a row's longest has about 100 characters, a path at most 32,767. */
export const MAX_LINE_LENGTH = 4_096;

/** What could not be read is told line by line up to here: nobody reads more, and the file may be something else altogether. */
export const MAX_UNREAD = 200;

/** Characters of a line that is shown. */
export const MAX_SHOWN = 200;
