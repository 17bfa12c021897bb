import { ERRORS, FarmError, type ErrorCode, type Facts } from "../base/index.ts";
import type { Entry } from "../store/index.ts";
import { decodeFields, encodeJson, isFields, numberField, textField } from "./state-json.ts";

/** A request as the store holds it. */
export interface StoredRequest {
  readonly verb: string;
  readonly input: unknown;
  readonly timeoutMs: number;
  /** The sender wrote this after the node asked whether it still waits. */
  readonly confirmed: boolean;
}

/** An answer as the store holds it. */
export type StoredAnswer =
  /**
   * The node asks whether the sender still waits: of a request that was there before it started, and in a signed farm of every one, with a
   * challenge that the sender signs.
   */
  | { readonly state: "asking"; readonly challenge?: string }
  /** The node has taken the request: nobody else may. */
  | { readonly state: "taken" }
  | { readonly state: "done"; readonly output: unknown }
  | { readonly state: "failed"; readonly error: FarmError };

export const requestPrefix = (node: string): string => `requests/${node}`;
export const answerPrefix = (node: string): string => `answers/${node}`;

export const encodeRequest = (request: StoredRequest): Uint8Array => encodeJson(request);

/** @throws STORE_CORRUPT */
export function decodeRequest({ key, value }: Pick<Entry, "key" | "value">): StoredRequest {
  const fields = decodeFields(value, key);
  return {
    verb: textField(fields, "verb", key),
    input: fields["input"],
    timeoutMs: numberField(fields, "timeoutMs", key),
    confirmed: fields["confirmed"] === true,
  };
}

export function encodeAnswer(answer: StoredAnswer): Uint8Array {
  if (answer.state !== "failed") return encodeJson(answer);
  const { code, message, facts } = answer.error;
  return encodeJson({ state: "failed", code, message, facts });
}

/** @throws STORE_CORRUPT */
export function decodeAnswer({ key, value }: Pick<Entry, "key" | "value">): StoredAnswer {
  const fields = decodeFields(value, key);
  const state = textField(fields, "state", key);
  if (state === "taken") return { state };
  if (state === "asking") return { state, ...(typeof fields["challenge"] === "string" ? { challenge: fields["challenge"] } : {}) };
  if (state === "done") return { state, output: fields["output"] };
  const code = textField(fields, "code", key);
  const facts = isFields(fields["facts"]) ? (fields["facts"] as Facts) : {}; // plain data when it was written
  return { state: "failed", error: new FarmError(isErrorCode(code) ? code : "INTERNAL", textField(fields, "message", key), { facts }) };
}

/** A node of another version may know errors that this one does not. */
const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);
