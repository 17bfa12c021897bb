import type { AuditedChange } from "../audit/index.ts";
import type { Caller } from "./caller.ts";
import type { Route } from "./route.ts";

/** Names that what is secret or long may have, whatever a route says of its inputs. */
const NEVER = /password|secret|token|key|pem|csr|request|bytes|yaml|content/i;
const MAX_FACT = 80;

/** How the audit log tells a call: what was asked for in few words, without what is secret. */
export function auditedCall(name: string, { hidden }: Route, input: unknown, caller: Caller): AuditedChange {
  const given = Object.entries(typeof input === "object" && input !== null ? input : {});
  const shown = given.flatMap(([key, value]) => (hidden.includes(key) || NEVER.test(key) ? [] : factOf(key, value)));
  return { action: name, target: shown.join(" "), caller: { name: caller.name, role: caller.role, by: caller.by } };
}

function factOf(key: string, value: unknown): readonly string[] {
  if (typeof value === "number" || typeof value === "boolean") return [`${key}=${value}`];
  if (typeof value === "string") return [`${key}=${value.length > MAX_FACT ? `${value.slice(0, MAX_FACT)}…` : value}`];
  if (!Array.isArray(value)) return [];
  const few = value.length <= 3 && value.every((one) => typeof one === "string" && one.length <= MAX_FACT / 2);
  return [few ? `${key}=${value.join(",")}` : `${key}=(${value.length})`];
}
