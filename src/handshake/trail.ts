import type { Instant } from "../base/index.ts";
import { rowKeyText } from "../bindings/index.ts";
import type { Decision, LeafFacts, TrailStep } from "./types.ts";

const SYMBOLS: Readonly<Record<TrailStep["outcome"], string>> = {
  chosen: "✓",
  matched: "✓",
  absent: "·",
  "passed-over": "·",
  unusable: "✗",
  refused: "✗",
};

/**
 * A decision as lines for a person: numbered steps, each with a symbol that needs no colour (✓ found, · nothing here, ✗ wrong),
 * and a last line with the outcome.
 */
export function formatTrail(decision: Decision): string[] {
  return [...formatSteps(decision.trail), outcomeLine(decision)];
}

/** The numbered steps alone. */
export function formatSteps(trail: readonly TrailStep[]): string[] {
  const looks = Math.max(0, ...trail.map((step) => step.look.length));
  const digits = String(trail.length).length;
  return trail.map((step, at) => {
    const number = String(at + 1).padStart(digits);
    return `${number}. ${SYMBOLS[step.outcome]} ${step.look.padEnd(looks)}  ${step.because}`;
  });
}

function outcomeLine(decision: Decision): string {
  switch (decision.kind) {
    case "serve":
      return `✓ served: ${decision.certificates.map(({ file, keyType }) => `${file} (${keyType})`).join(" and ")} by row ${rowKeyText(decision.row)}`;
    case "refuse":
      return `✗ refused: ${decision.reason}, with the alert ${decision.alert}`;
    case "need":
      return `· undecided: ${decision.files.join(" and ")} must be read first`;
  }
}

/** A leaf for a trail: thumbprint, key and validity. */
export function leafText(leaf: LeafFacts, now: Instant): string {
  return `thumbprint ${leaf.thumbprint}, ${leaf.keyType}, ${validityText(leaf, now)}`;
}

/** `valid until 2027-01-31`, or why it is not valid now. */
function validityText(leaf: LeafFacts, now: Instant): string {
  if (leaf.notAfter < now) return `EXPIRED on ${day(leaf.notAfter)}`;
  return leaf.notBefore > now ? `NOT VALID before ${day(leaf.notBefore)}` : `valid until ${day(leaf.notAfter)}`;
}

/** The date in UTC. Certificates may say moments that a Date cannot hold. */
function day(at: Instant): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "an unknown date" : date.toISOString().slice(0, 10);
}
