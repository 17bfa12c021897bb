import { createBudget } from "./budget.ts";
import { readBind, type Bind, type Context } from "./haproxy/bind.ts";
import { optionsOf } from "./haproxy/bind-options.ts";
import { sectionsOf, type Section } from "./haproxy/sections.ts";
import type { Word } from "./haproxy/words.ts";
import { createNotes } from "./notes.ts";
import { protocolsOf } from "./tls-versions.ts";
import type { ConfigFile, FindFiles, PeerReading } from "./types.ts";

/**
 * What an HAProxy configuration says of listeners and certificate files. HAProxy takes names from the certificates themselves: a binding has
 * a host only where a `crt-list` names it. `find` is asked for such lists.
 * @throws PEER_CONFIG_INVALID with file and line, for a text that HAProxy would refuse as well or one that is over the limits
 */
export async function readHaproxy(main: ConfigFile, find: FindFiles): Promise<PeerReading> {
  const [notes, budget] = [createNotes(), createBudget()];
  budget.spend("characters", main.text.length, { path: main.path, line: 1 });
  const sections = sectionsOf(main, notes);
  const binds = await bindsOf(sections, { main, find, notes, budget, ...settingsOf(sections), lists: new Map() });
  const bindings = binds.flatMap((bind) => bind.bindings);
  const protocols = protocolsOf(binds.filter(({ listener }) => listener.protocol === "https").map(({ versions }) => versions));
  return {
    evidence: {
      make: "haproxy",
      source: main.path,
      bindings: { source: main.path, bindings },
      listeners: binds.map(({ listener }) => listener),
      ...(protocols === undefined ? {} : { protocols }),
    },
    files: [...new Set(bindings.flatMap(({ files = [] }) => files))],
    notes: notes.all(),
  };
}

async function bindsOf(sections: readonly Section[], context: Context): Promise<readonly Bind[]> {
  const binds: Bind[] = [];
  const modes = new Map<string | undefined, string>();
  for (const section of sections) {
    const mode = modeOf(section, modes);
    if (section.kind === "defaults") modes.set(undefined, mode).set(section.name, mode);
    if (!["frontend", "listen"].includes(section.kind) || section.lines.some(({ name }) => name === "disabled")) continue;
    for (const line of section.lines) {
      if (line.name === "bind") for (const bind of await readBind(line, { section, mode }, context)) binds.push(bind);
    }
    if (mode === "tcp" && inspectsTls(section))
      context.notes.add(context.main.path, section.line, "looks at the name and passes TLS on: dial the servers behind");
  }
  return binds;
}

/** A section's own mode, else that of the defaults it takes: the named ones, or the last ones before it (by `undefined`). */
function modeOf({ kind, from, lines }: Section, modes: ReadonlyMap<string | undefined, string>): string {
  const own = lines.findLast(({ name }) => name === "mode")?.args[0]?.text;
  const inherited = kind === "defaults" && from === undefined ? undefined : modes.get(from);
  return own ?? inherited ?? "tcp";
}

function settingsOf(sections: readonly Section[]): Pick<Context, "base" | "defaults"> {
  const global = sections.filter(({ kind }) => kind === "global").flatMap(({ lines }) => lines);
  const last = (name: string): readonly Word[] => global.findLast((line) => line.name === name)?.args ?? [];
  return { base: last("crt-base")[0]?.text ?? "", defaults: optionsOf(last("ssl-default-bind-options")) };
}

const inspectsTls = ({ lines }: Section): boolean =>
  lines.some(({ args }) => args.some(({ text }) => /req[._]ssl_(sni|hello_type)/.test(text)));
