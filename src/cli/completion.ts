import type { Command } from "commander";

/** Shells that completion is written for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

interface Node {
  /** Words that lead here, without the command's own name. */
  readonly path: readonly string[];
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly { readonly flag: string; readonly summary: string }[];
  /** Whether files are completed here. */
  readonly files: boolean;
}

/** A completion script, made from the commands themselves. */
export function completionScript(program: Command, shell: (typeof SHELLS)[number]): string {
  const nodes = [...walk(program, [])];
  switch (shell) {
    case "bash":
      return bash(nodes);
    case "zsh":
      return `#compdef certfarm\nautoload -U +X bashcompinit && bashcompinit\n${bash(nodes)}`;
    case "fish":
      return fish(nodes);
  }
}

function* walk(command: Command, path: readonly string[]): Generator<Node> {
  const global = path.length === 0 ? [] : optionsOf(rootOf(command));
  yield {
    path,
    commands: command.commands.map((child) => ({ name: child.name(), summary: child.summary() })),
    options: [...optionsOf(command), ...global, { flag: "--help", summary: "help" }],
    files: command.registeredArguments.some((argument) => /file|yaml/.test(argument.name())),
  };
  for (const child of command.commands) yield* walk(child, [...path, child.name()]);
}

const rootOf = (command: Command): Command => (command.parent === null ? command : rootOf(command.parent));

const optionsOf = (command: Command): Node["options"] =>
  command.options.flatMap(({ long, description }) => (long === null || long === undefined ? [] : [{ flag: long, summary: description }]));

function bash(nodes: readonly Node[]): string {
  const cases = nodes.map(({ path, commands, options, files }) => {
    const words = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag)].join(" ");
    return `    ${JSON.stringify(path.join(" "))}) words="${words}"; files=${files ? 1 : 0} ;;`;
  });
  const known = nodes.filter(({ path }) => path.length > 0).map(({ path }) => JSON.stringify(path.join(" ")));
  return `# Completion of certfarm; made by \`certfarm completion\`.
_certfarm() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words="" files=0 next
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) continue ;; esac
    next="\${path:+$path }$word"
    case "$next" in
      ${known.join("|")}) path="$next" ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
  case "\${COMP_WORDS[COMP_CWORD-1]}" in *-file|--file|--passwords|--farm|--store|--data|--local|--demo-root|--evidence|--share|--ca|--nginx|--haproxy|--since|--junit|--html|--prometheus|--script) files=1 ;; esac
  if [ "$files" = 1 ]; then COMPREPLY+=( $(compgen -f -- "$current") ); fi
}
complete -o filenames -F _certfarm certfarm
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, commands, options, files }) => {
    const children = commands.map(({ name }) => name);
    const here =
      path.length === 0
        ? "__fish_use_subcommand"
        : `${path.map((word) => `__fish_seen_subcommand_from ${word}`).join("; and ")}${children.length === 0 ? "" : `; and not __fish_seen_subcommand_from ${children.join(" ")}`}`;
    const rule = (rest: string): string => `complete -c certfarm -n ${quote(here)} ${rest}`;
    return [
      ...commands.map(({ name, summary }) => rule(`-f -a ${name} -d ${quote(summary)}`)),
      ...options.map(({ flag, summary }) => rule(`-l ${flag.slice(2)} -d ${quote(summary)}`)),
      ...(files || children.length > 0 ? [] : [rule("-f")]),
    ];
  });
  return `# Completion of certfarm; made by \`certfarm completion\`.\n${lines.join("\n")}\n`;
}

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
