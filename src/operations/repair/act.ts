import { FarmError, toFarmError } from "../../base/index.ts";
import { createRow, rowKeyText, type Row, type RowKey } from "../../bindings/index.ts";
import type { StepAction } from "../../doctor/index.ts";
import type { Asker } from "../ask-nodes.ts";
import type { StepRun } from "./repair-run.ts";

type Undo = NonNullable<StepRun["undo"]>;

const NOTHING: Undo = { kind: "none" };
const RESYNC_MS = 30_000;

/** How a step will be taken back, looked up before it is done. @throws REPAIR_OUTDATED when the row is another one by now; NODE_NO_ANSWER */
export async function prepareUndo({ ask }: Asker, action: StepAction): Promise<Undo> {
  if (action.do === "resync") return NOTHING;
  const { rows } = await ask(action.node, "table.show", {});
  const key = keyOf(action);
  const there = rows.find((row) => rowKeyText(row.key) === rowKeyText(key));
  if (action.do === "add-central-row") return there === undefined ? { kind: "delete-central-row", port: action.port } : NOTHING;
  if (there === undefined) return NOTHING;
  if (there.file !== action.row.file) throw outdated(action.node, there, action.row.file);
  return { kind: "add-row", row: there };
}

/** Does a step; what is done already stays as it is. @throws what the node answers, NODE_NO_ANSWER */
export async function act({ ask }: Asker, action: StepAction): Promise<void> {
  switch (action.do) {
    case "add-central-row": {
      const row = createRow({ key: keyOf(action), origin: "configuration" });
      const { kept } = await ask(action.node, "table.add", { row }).catch(unless("BINDING_ROW_EXISTS", { kept: true, row }));
      if (!kept)
        throw new FarmError(
          "REPAIR_OUTDATED",
          `${action.node} took ${rowKeyText(row.key)} out again: its configuration does not ask for it`,
        );
      return;
    }
    case "delete-row": {
      const key = keyOf(action);
      if (key.kind === "central") throw new FarmError("REPAIR_OUTDATED", `${rowKeyText(key)} is a central row: those are never deleted`);
      await ask(action.node, "table.delete", { key }).catch(unless("BINDING_ROW_ABSENT", { key }));
      return;
    }
    case "resync": {
      const host = action.host === undefined ? {} : { host: action.host };
      const { problem } = await ask(action.node, "resync", { part: action.part, ...host }, { timeoutMs: RESYNC_MS });
      if (problem !== undefined) throw new FarmError("REPAIR_OUTDATED", `${action.node}: ${problem}`);
    }
  }
}

/** Takes a step back. False = there is nothing to take back. @throws what the node answers, NODE_NO_ANSWER */
export async function undo({ ask }: Asker, node: string, how: Undo | undefined): Promise<boolean> {
  if (how === undefined || how.kind === "none") return false;
  if (how.kind === "delete-central-row") {
    const key = { kind: "central", port: how.port } as const;
    await ask(node, "table.delete", { key }).catch(unless("BINDING_ROW_ABSENT", { key }));
  } else {
    await ask(node, "table.add", { row: how.row }).catch(unless("BINDING_ROW_EXISTS", { row: how.row, kept: true }));
  }
  return true;
}

/** The key as certfarm's nodes have it. @throws REPAIR_OUTDATED for a kind that they do not have */
function keyOf(action: Exclude<StepAction, { do: "resync" }>): RowKey {
  if (action.do === "add-central-row") return { kind: "central", port: action.port };
  const { key } = action;
  if (key.kind === "scoped-central") throw new FarmError("REPAIR_OUTDATED", `${action.node} has no rows of the kind ${key.kind}`);
  return key;
}

function outdated(node: string, { key, file }: Row, planned: string | undefined): FarmError {
  return new FarmError("REPAIR_OUTDATED", `${rowKeyText(key)} of ${node} names ${file ?? "no file"} by now, not ${planned ?? "none"}`);
}

/** The answer that stands for an error of this code. */
const unless =
  <T>(code: string, answer: T) =>
  (error: unknown): T => {
    if (toFarmError(error).code === code) return answer;
    throw error;
  };
