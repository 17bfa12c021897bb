import type { Command } from "commander";

import { commaList, whole } from "../options.ts";

/** How to dial. */
export function addDialOptions(command: Command): Command {
  return command
    .option("--ca <file>", "verify against these roots (PEM) instead of the system's")
    .option("--deep", "every kind of handshake for every host, not only where nodes differ or fail")
    .option("--timeout <seconds>", "for one handshake", whole(1, 60))
    .option("--concurrency <count>", "handshakes at a time for each node", whole(1, 1_000));
}

/** Servers and files to look at without a farm. */
export function addServerOptions(command: Command): Command {
  return command
    .option("--nodes <list>", "servers: 10.0.0.4,10.0.0.5:8443,[::1]:443 or names; repeatable", commaList)
    .option("--nodes-file <file>", "a file of servers, one a line")
    .option("--hosts-file <file>", "a file of host names, one a line; - reads standard input")
    .option("--via <address>", "what clients dial: the balancer before the nodes")
    .option("--evidence <list>", "files of `certfarm iis collect`, or folders of them; repeatable", commaList)
    .option("--share <dir>", "the folder of the central certificates")
    .option("--password-file <file>", "a file whose first line is the password of those certificates")
    .option("--nginx <list>", "nginx.conf files of this machine", commaList)
    .option("--haproxy <list>", "haproxy.cfg files of this machine", commaList);
}
