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
  /** The node found a request that was there before it started: does its sender still wait? */
  | { readonly state: "asking" }
  /** The node has taken the request: nobody else may. */
  | { readonly state: "taken" }
  | { readonly state: "done"; readonly output: unknown }
  | { readonly state: "failed"; readonly error: FarmError };

export const requestPrefix = (node: string): string => `requests/${node}`;
export const answerPrefix = (node: string): string => `answers/${node}`;

export const encodeRequest = (request: StoredRequest): Uint8Array => encodeJson(request);

/** @throws STORE_CORRUPT */
export function decodeRequest({ key, value }: Entry): StoredRequest {
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
export function decodeAnswer({ key, value }: Entry): StoredAnswer {
  const fields = decodeFields(value, key);
  const state = textField(fields, "state", key);
  if (state === "asking" || state === "taken") return { state };
  if (state === "done") return { state, output: fields["output"] };
  const code = textField(fields, "code", key);
  const facts = isFields(fields["facts"]) ? (fields["facts"] as Facts) : {}; // plain data when it was written
  return { state: "failed", error: new FarmError(isErrorCode(code) ? code : "INTERNAL", textField(fields, "message", key), { facts }) };
}

/** A node of another version may know errors that this one does not. */
const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);
