import { FarmError } from "../base/index.ts";
import type { Rule } from "../doctor/index.ts";
import type { HereParts, LookControl, LookProgress, Operations } from "../operations/index.ts";
import type { CallContext, Handlers, LocalHandlers } from "./handler-types.ts";
import type { RouteOutput, RouteProgress, RouteQuestion } from "./routes.ts";

type LocalDoctor = Pick<
  LocalHandlers,
  "doctor.here" | "doctor.rules" | "iis.collect" | "iis.import" | "explain.evidence" | "repair.script"
>;

const operationsRoom = () => import("../operations/index.ts");

/** Handlers of looking and naming that need no farm. The use cases are loaded when the first is called. */
export function createLocalDoctor(parts: HereParts): LocalDoctor {
  return {
    "doctor.here": async (input, context) => (await operationsRoom()).doctorHere(parts, { ...input, ...lookControl(context) }),
    "doctor.rules": async (input) => rules(input, (await import("../doctor/index.ts")).RULES),
    "iis.collect": async () => ({ fileName: COLLECT, text: (await import("../iis/index.ts")).collectScript() }),
    "iis.import": async ({ file, evidence }) => (await operationsRoom()).importConfiguration(file, evidence),
    "explain.evidence": async (input) => ({ nodes: await (await operationsRoom()).explainEvidence(parts, input) }),
    "repair.script": async (input, context) => (await operationsRoom()).writeScripts(parts, { ...input, ...lookControl(context) }),
  };
}

const COLLECT = "collect-evidence.ps1";

/** Handlers of looking at a farm and mending it. */
export function createDoctor(operations: Operations): Pick<Handlers, "doctor" | "repair.plan" | "repair.run" | "repair.history"> {
  return {
    doctor: (input, context) => operations.doctor({ ...input, ...lookControl(context) }),
    "repair.plan": (input, context) => operations.repair.plan({ ...input, ...lookControl(context) }),
    "repair.run": (input, context) => run(operations, input, context),
    "repair.history": async ({ limit = HISTORY }) => ({ runs: await operations.repair.history(limit) }),
  };
}

const EVERY_MS = 100;
const HISTORY = 20;

/** Tells how far looking has come, at most ten times a second; the ends of phases always. A caller that went away is not told. */
function lookControl({ signal, onProgress }: LookContext): Required<LookControl> {
  return { signal, onProgress: paced((progress) => void onProgress(progress).catch(ignore)) };
}

interface LookContext {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LookProgress) => Promise<void>;
}

function paced(tell: (progress: LookProgress) => void): (progress: LookProgress) => void {
  let toldMs = Number.NEGATIVE_INFINITY;
  return (progress) => {
    const now = performance.now();
    if (progress.done < progress.total && now - toldMs < EVERY_MS) return;
    toldMs = now;
    tell(progress);
  };
}

function run(
  operations: Operations,
  input: RouteQuestion<"repair.run">,
  { signal, onProgress }: CallContext<"repair.run">,
): Promise<RouteOutput<"repair.run">> {
  const tell = (progress: RouteProgress<"repair.run">): void => void onProgress(progress).catch(ignore);
  const tellLook = paced((progress) => tell({ kind: "look", ...progress }));
  return operations.repair.run({
    ...input,
    signal,
    onProgress: (progress) => (progress.kind === "look" ? tellLook(progress) : tell(progress)),
  });
}

function ignore(): void {
  // The caller is gone; its signal ends the look.
}

function rules({ code }: RouteQuestion<"doctor.rules">, all: readonly Rule[]): RouteOutput<"doctor.rules"> {
  const chosen = all.filter((rule) => code === undefined || rule.code === code);
  if (chosen.length === 0) throw new FarmError("DOCTOR_RULE_UNKNOWN", `there is no rule ${JSON.stringify(code?.slice(0, 100))}`);
  return {
    rules: chosen.map(({ code: known, title, severity, tier, source, explains, remedy }) => ({
      code: known,
      title,
      severity,
      tier,
      source,
      explains,
      remedy,
    })),
  };
}
