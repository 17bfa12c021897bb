import { readBind, type Bind, type Context } from "./haproxy/bind.ts";
import { optionsOf } from "./haproxy/bind-options.ts";
import { sectionsOf, type Section } from "./haproxy/sections.ts";
import type { Word } from "./haproxy/words.ts";
import { invalid } from "./invalid.ts";
import { LIMITS } from "./limits.ts";
import { createNotes } from "./notes.ts";
import { protocolsOf } from "./tls-versions.ts";
import type { ConfigFile, FindFiles, PeerReading } from "./types.ts";

/**
 * What an HAProxy configuration says of listeners and certificate files. HAProxy takes names from the certificates themselves: a binding has
 * a host only where a `crt-list` names it. `find` is asked for such lists.
 * @throws PEER_CONFIG_INVALID with file and line, for a text that HAProxy would refuse as well or one that is over the limits
 */
export async function readHaproxy(main: ConfigFile, find: FindFiles): Promise<PeerReading> {
  if (main.text.length > LIMITS.characters) throw invalid(main.path, 1, `the configuration is larger than ${LIMITS.characters} characters`);
  const notes = createNotes();
  const sections = sectionsOf(main, notes);
  const binds = await bindsOf(sections, { main, find, notes, ...settingsOf(sections), lists: new Map() });
  const bindings = binds.flatMap((bind) => bind.bindings);
  if (bindings.length > LIMITS.bindings) throw invalid(main.path, 1, `the configuration has more than ${LIMITS.bindings} bindings`);
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
  for (const [index, section] of sections.entries()) {
    if (!["frontend", "listen"].includes(section.kind) || section.lines.some(({ name }) => name === "disabled")) continue;
    const mode = modeOf(section, sections.slice(0, index));
    for (const line of section.lines) {
      if (line.name === "bind") for (const bind of await readBind(line, { section, mode }, context)) binds.push(bind);
    }
    if (mode === "tcp" && inspectsTls(section))
      context.notes.add(context.main.path, section.line, "looks at the name and passes TLS on: dial the servers behind");
  }
  return binds;
}

function settingsOf(sections: readonly Section[]): Pick<Context, "base" | "defaults"> {
  const global = sections.filter(({ kind }) => kind === "global").flatMap(({ lines }) => lines);
  const last = (name: string): readonly Word[] => global.findLast((line) => line.name === name)?.args ?? [];
  return { base: last("crt-base")[0]?.text ?? "", defaults: optionsOf(last("ssl-default-bind-options")) };
}

/** A section's own mode, else that of the defaults it takes: the named ones, or the last ones before it. */
function modeOf(section: Section, before: readonly Section[], depth = 0): string {
  const own = section.lines.findLast(({ name }) => name === "mode")?.args[0]?.text;
  if (own !== undefined) return own;
  if (section.kind === "defaults" && section.from === undefined) return "tcp";
  const defaults = before.filter(({ kind, name }) => kind === "defaults" && (section.from === undefined || name === section.from)).at(-1);
  return defaults === undefined || depth > LIMITS.includes ? "tcp" : modeOf(defaults, before, depth + 1);
}

const inspectsTls = ({ lines }: Section): boolean =>
  lines.some(({ args }) => args.some(({ text }) => /req[._]ssl_(sni|hello_type)/.test(text)));
