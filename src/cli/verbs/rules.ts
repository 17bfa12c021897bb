import type { ExitCode, Session } from "../session.ts";
import { wrap } from "../reports/wrap.ts";
import { formatTable } from "../table.ts";
import { clean, count } from "../text.ts";

const PAGE_COLUMNS = 100;

/** `certfarm doctor rules`. */
export async function listRules(session: Session): Promise<ExitCode> {
  const { rules } = await (await session.here()).call("doctor.rules", {});
  if (session.json) session.printJson(rules);
  else {
    session.print(
      formatTable(
        ["CODE", "SEVERITY", "TITLE"],
        rules.map(({ code, severity, title }) => [code, severity, title]),
        session,
      ),
    );
    session.print(`${count(rules.length, "rule")}; more of one: certfarm doctor rule CODE`);
  }
  return 0;
}

/** `certfarm doctor rule CODE`. */
export async function showRule(session: Session, code: string): Promise<ExitCode> {
  const { rules } = await (await session.here()).call("doctor.rules", { code });
  if (session.json) session.printJson(rules[0]);
  else for (const rule of rules) session.print(ruleText(session, rule));
  return 0;
}

type Rule = Readonly<Record<"code" | "title" | "severity" | "source" | "explains" | "remedy", string>>;

function ruleText({ paint, columns, symbols }: Session, { code, title, severity, source, explains, remedy }: Rule): string {
  const paragraph = (text: string): string => wrap(clean(text), Math.min(PAGE_COLUMNS, columns ?? PAGE_COLUMNS)).join("\n");
  const parts = [
    `${paint("bold", clean(title))}\n${clean(code)}, ${severity}`,
    paragraph(explains),
    `${paint("bold", "What to do")}\n${paragraph(remedy)}`,
    `${paint("bold", "Source")}\n${clean(source)}`,
  ];
  return symbols.fit(parts.join("\n\n"));
}
