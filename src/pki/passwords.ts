import type { Secret } from "../base/index.ts";
import type { WorkBudget } from "./limits.ts";

/** Which encoding of a password an algorithm takes: PKCS#12's own derivation takes BMPStrings, PBKDF2 and scrypt take UTF-8. */
export type PasswordKind = "bmp" | "raw";

/** One use of a password: what it costs in iterations, and a name of what it opens for problems. */
export interface PasswordUse {
  readonly kind: PasswordKind;
  readonly cost: number;
  readonly what: string;
}

interface Forms {
  /** As the standards say. */
  readonly standard: readonly Uint8Array[];
  /** As known writers did it against the standards. */
  readonly deviating: readonly Uint8Array[];
}

interface Candidate {
  readonly index: number;
  readonly forms: Record<PasswordKind, Forms>;
  /** Tried although nobody gave it: dropped silently when there is no budget for it. */
  readonly implied: boolean;
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8");
const bmp = (text: string): Buffer => Buffer.from(text, "utf16le").swap16();
const isAscii = (text: string): boolean => utf8(text).length === text.length;

/** Each octet as one BMP character: what writers did that took UTF-8 octets for characters (OpenSSL before 1.1.0). */
const widened = (bytes: Uint8Array): Buffer => bmp(Buffer.from(bytes).toString("latin1"));
const ended = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes, Buffer.alloc(2)]);

/** An empty password is the NUL alone for the PKCS#12 derivation, an absent one is nothing at all; writers mean either by either. */
const EMPTY: Candidate["forms"] = {
  bmp: { standard: [new Uint8Array(2)], deviating: [] },
  raw: { standard: [new Uint8Array(0)], deviating: [new Uint8Array(2)] },
};
const ABSENT: Candidate["forms"] = {
  bmp: { standard: [new Uint8Array(0)], deviating: [] },
  raw: EMPTY.raw,
};

function distinct(forms: readonly Uint8Array[], besides: readonly Uint8Array[]): Uint8Array[] {
  const seen = new Set(besides.map((form) => Buffer.from(form).toString("hex")));
  return forms.filter((form) => {
    const text = Buffer.from(form).toString("hex");
    const isNew = !seen.has(text);
    seen.add(text);
    return isNew;
  });
}

/**
 * Deviations: composed and decomposed letters, UTF-8 octets as characters, Latin-1 octets, a BMPString without its NUL,
 * and a BMPString given to PBKDF2 (old NSS).
 */
function formsOf(text: string): Candidate["forms"] {
  if (text === "") return EMPTY;
  const texts = isAscii(text) ? [text] : [text, text.normalize("NFC"), text.normalize("NFD")];
  const standardBmp = [ended(bmp(text))];
  const standardRaw = [utf8(text)];
  const otherBmp = [...texts.map((each) => ended(bmp(each))), ...texts.map((each) => ended(widened(utf8(each)))), bmp(text), utf8(text)];
  const otherRaw = [...texts.map(utf8), Buffer.from(text, "latin1"), ended(bmp(text)), bmp(text)];
  return {
    bmp: { standard: standardBmp, deviating: distinct(otherBmp, standardBmp) },
    raw: { standard: standardRaw, deviating: distinct(otherRaw, standardRaw) },
  };
}

/**
 * The passwords for one file. Remembers which one opened something, and tries that first for the next part.
 * Every attempt is booked on the budget before any work is done.
 */
export class KeyRing {
  readonly #budget: WorkBudget;
  #candidates: readonly Candidate[];
  readonly #given: number;

  constructor(passwords: readonly Secret[], budget: WorkBudget) {
    const texts = [...new Set(passwords.map((password) => password.reveal()))];
    this.#given = texts.length;
    this.#budget = budget;
    const given = texts.map((text, index): Candidate => ({ index, forms: formsOf(text), implied: false }));
    const implied = (texts.includes("") ? [ABSENT] : [EMPTY, ABSENT]).map((forms, index): Candidate => ({
      index: texts.length + index,
      forms,
      implied: texts.length > 0,
    }));
    this.#candidates = [...given, ...implied];
  }

  /**
   * Tries `attempt` with each form of each password until it gives something. Standard forms of all passwords come
   * before the deviating ones; those, and passwords that nobody gave, are tried only as far as the budget goes.
   * @throws CERTIFICATE_TOO_COSTLY, and what `attempt` throws
   */
  async open<T>(use: PasswordUse, attempt: (password: Uint8Array) => Promise<T | undefined>): Promise<T | undefined> {
    const tried = new Set<string>();
    for (const which of ["standard", "deviating"] as const) {
      for (const candidate of this.#candidates) {
        for (const form of candidate.forms[use.kind][which]) {
          const text = Buffer.from(form).toString("hex");
          if (tried.has(text)) continue;
          if ((which === "deviating" || candidate.implied) && !this.#budget.affords(candidate.index, use.cost)) continue;
          this.#budget.spend(candidate.index, use.cost, use.what);
          tried.add(text);
          const opened = await attempt(form);
          if (opened === undefined) continue;
          this.#prefer(candidate, use.kind, form);
          return opened;
        }
      }
    }
    return undefined;
  }

  /** What was tried, for problems: follows `with`. */
  describe(): string {
    if (this.#given === 0) return "an empty password, and no other was given";
    return this.#given === 1 ? "the given password or an empty one" : `any of the ${this.#given} given passwords or an empty one`;
  }

  #prefer(candidate: Candidate, kind: PasswordKind, form: Uint8Array): void {
    const { standard, deviating } = candidate.forms[kind];
    const others = [...standard, ...deviating].filter((each) => each !== form);
    const preferred: Candidate = {
      ...candidate,
      implied: false,
      forms: { ...candidate.forms, [kind]: { standard: [form], deviating: others } },
    };
    this.#candidates = [preferred, ...this.#candidates.filter((each) => each !== candidate)];
  }
}
