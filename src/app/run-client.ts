import { createLog, requireEndpoint, silentLog, systemClock } from "../base/index.ts";
import { runCli, type CliHost, type Terminal } from "../cli/index.ts";
import { askOnTerminal } from "./ask-on-terminal.ts";
import { currentUser } from "./current-user.ts";
import { aborted, createEnding } from "./ending.ts";
import { VERSION } from "./version.ts";

/** Everything that is not a role of its own: the command line, over the admin API. */
export async function runClient(args: readonly string[]): Promise<void> {
  const ending = createEnding();
  // A reader that has seen enough (`| head`) ends the output, not with a fault.
  process.stdout.on("error", () => process.exit(0));
  const host: CliHost = {
    version: VERSION,
    environment: process.env,
    out: terminal(process.stdout),
    err: terminal(process.stderr),
    signal: ending,
    agree: process.stdin.isTTY && process.stderr.isTTY ? (question) => askOnTerminal(question, ending) : undefined,
    user: currentUser(),
    local: async () => {
      const { createDispatch, createLocalHandlers, directTransport } = await import("../admin/index.ts");
      return directTransport(createDispatch(createLocalHandlers({ clock: systemClock, log: silentLog })));
    },
    identities: async () => (await import("./identity-verbs.ts")).createIdentityHost(ending),
    up: async (given) => (await import("./run-farm.ts")).runFarm(given, ending),
    serveAdmin: (given) => serveAlone(given, ending),
    store: async () => (await import("./store-verbs.ts")).createStoreVerbs(ending),
  };
  process.exitCode = await runCli(args, host);
  // A verb may leave an idle connection or a listener behind; the answer is complete.
  process.stdout.write("", () => process.exit());
}

function terminal(stream: NodeJS.WriteStream): Terminal {
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY,
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
  };
}

async function serveAlone(given: Parameters<CliHost["serveAdmin"]>[0], signal: AbortSignal): Promise<number> {
  const { openStoreLater } = await import("../store/index.ts");
  const { serveAdmin } = await import("./serve-admin.ts");
  const log = createLog({ write: (line) => process.stderr.write(`${line}\n`), now: () => systemClock.now() });
  const { farmKeySource, sealStore } = await import("../secrets/index.ts");
  const source = farmKeySource({ ...given.farmKey, environment: process.env });
  const sealed = sealStore(openStoreLater(given.store, { log, clock: systemClock }), { source, clock: systemClock, log });
  try {
    const { passwords, local, adminPort, adminListen, adminName = [] } = given;
    const outside = adminListen === undefined ? {} : { outside: requireEndpoint(adminListen), names: adminName };
    const shared = { settings: given.store, farmKeyFile: given.farmKey.file ?? process.env["CERTFARM_FARM_KEY_FILE"] };
    const admin = await serveAdmin({
      sealed,
      local,
      port: adminPort,
      log,
      ...shared,
      ...outside,
      ...(passwords === undefined ? {} : { passwords }),
    });
    const elsewhere = admin.outsideUrl === undefined ? "" : `for other machines: ${admin.outsideUrl}\n`;
    process.stdout.write(`admin API: ${admin.url}\n${elsewhere}token file: ${admin.tokenFile}\n`);
    await aborted(signal);
    await admin.close();
    return 0;
  } finally {
    await sealed.store.close();
  }
}
