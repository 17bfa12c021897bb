import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

import { FarmError, instant, Secret, type Clock, type Instant } from "../base/index.ts";
import type { Rev, Store } from "../store/index.ts";
import { tokenRecordIn, writeTokenRecord, type TokenRecord, type TokenRole } from "./token-record.ts";

/** A token, as it is shown: everything but what proves it. */
export type TokenFacts = Omit<TokenRecord, "digest">;

/** What a presented token turned out to be. */
export type TokenFinding =
  | { readonly kind: "known"; readonly token: TokenFacts }
  | { readonly kind: "expired"; readonly token: TokenFacts }
  | { readonly kind: "unknown" };

/** The farm's tokens. */
export interface Tokens {
  /** The token itself is given once, here; the store has its digest. @throws TOKEN_NAME_TAKEN, TOKEN_LIMIT, and the store's errors */
  add(wanted: {
    readonly name: string;
    readonly role: TokenRole;
    readonly ttlMs?: number;
    readonly by: string;
  }): Promise<{ readonly facts: TokenFacts; readonly token: Secret }>;
  /** By name. */
  list(): Promise<readonly TokenFacts[]>;
  /** By name or id. @throws TOKEN_UNKNOWN, and the store's errors */
  revoke(which: string): Promise<TokenFacts>;
  /** Whose token this is. Wrong ones cost the store nothing. @throws the store's errors */
  find(presented: string): Promise<TokenFinding>;
}

const PREFIX = "admin/tokens";
const TOKEN = /^certfarm-token-([0-9a-f]{16})-([A-Za-z0-9_-]{43})$/;
const MAX_TOKENS = 1_000;
/** A token that was revoked by another process is taken for so long at most. */
const FRESH_MS = 2_000;
/** A token of an id that is not known may be new: the store is looked at, but not more often than this. */
const LOOK_AGAIN_MS = 250;
/** Expired tokens are listed for so long. */
const FORGET_MS = 30 * 86_400_000;

interface Snapshot {
  readonly atMs: number;
  readonly tokens: ReadonlyMap<string, TokenRecord & { readonly rev: Rev }>;
}

/** Looks at the store's tokens no more often than it must. */
interface TokenView {
  /** As they are now. */
  readonly read: () => Promise<Snapshot>;
  readonly find: (id: string) => Promise<TokenRecord | undefined>;
  readonly forget: () => void;
}

function viewTokens(state: Store, clock: Pick<Clock, "monotonicMs">): TokenView {
  let snapshot: Snapshot | undefined;
  let reading: Promise<Snapshot> | undefined;
  const read = async (): Promise<Snapshot> => {
    const atMs = clock.monotonicMs();
    const entries = await state.list(PREFIX);
    const tokens = entries.flatMap(({ key, value, rev }) => {
      const record = tokenRecordIn(key.slice(PREFIX.length + 1), value);
      return record === undefined ? [] : [[record.id, { ...record, rev }] as const];
    });
    snapshot = { atMs, tokens: new Map(tokens) };
    return snapshot;
  };
  /** One look at the store at a time, however many ask. */
  const look = (): Promise<Snapshot> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const seen = async (maxAgeMs: number): Promise<Snapshot> =>
    snapshot !== undefined && clock.monotonicMs() - snapshot.atMs < maxAgeMs ? snapshot : look();
  return {
    read,
    find: async (id) => (await seen(FRESH_MS)).tokens.get(id) ?? (await seen(LOOK_AGAIN_MS)).tokens.get(id),
    forget: () => {
      snapshot = undefined;
    },
  };
}

/** Tokens as state keys `admin/tokens/<id>`: name, role, digest and times. */
export function createTokens({ state, clock }: TokensParts): Tokens {
  const view = viewTokens(state, clock);
  return {
    add: (wanted) => addToken({ state, clock }, view, wanted),
    async list() {
      const { tokens } = await view.read();
      return [...tokens.values()].map(factsOf).sort((one, other) => (one.name < other.name ? -1 : 1));
    },
    async revoke(which) {
      const { tokens } = await view.read();
      const named = [...tokens.values()].filter(({ name }) => name === which);
      const found = tokens.get(which) ?? named.find((each) => !isOver(each, clock.now())) ?? named[0];
      if (found === undefined) throw new FarmError("TOKEN_UNKNOWN", `there is no token ${JSON.stringify(which)}`);
      await state.remove(`${PREFIX}/${found.id}`, found.rev);
      view.forget();
      return factsOf(found);
    },
    async find(presented) {
      const [, id = "", secret = ""] = TOKEN.exec(presented) ?? [];
      if (id === "") return { kind: "unknown" };
      const record = await view.find(id);
      // The same work for an id that is not known.
      const wanted = Buffer.from(record?.digest ?? "0".repeat(64), "hex");
      const isRight = timingSafeEqual(digestOf(id, secret), wanted);
      if (record === undefined || !isRight) return { kind: "unknown" };
      return { kind: isOver(record, clock.now()) ? "expired" : "known", token: factsOf(record) };
    },
  };
}

/** What tokens are kept with. */
interface TokensParts {
  readonly state: Store;
  readonly clock: Clock;
}

async function addToken(
  { state, clock }: TokensParts,
  view: TokenView,
  { name, role, ttlMs, by }: Parameters<Tokens["add"]>[0],
): ReturnType<Tokens["add"]> {
  const { tokens } = await view.read();
  await forgetOld(state, [...tokens.values()], clock.now());
  if ([...tokens.values()].some((each) => each.name === name && !isOver(each, clock.now()))) {
    throw new FarmError("TOKEN_NAME_TAKEN", `there is a token ${JSON.stringify(name)} already`, { facts: { name } });
  }
  if (tokens.size >= MAX_TOKENS) throw new FarmError("TOKEN_LIMIT", `the farm has ${tokens.size} tokens, and ${MAX_TOKENS} at most`);
  const id = randomBytes(8).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  const now = instant(Math.round(clock.now()));
  const facts: TokenFacts = { id, name, role, by, at: now, ...(ttlMs === undefined ? {} : { expiresAt: instant(now + ttlMs) }) };
  await state.write(`${PREFIX}/${id}`, writeTokenRecord({ ...facts, digest: digestOf(id, secret).toString("hex") }), undefined);
  view.forget();
  return { facts, token: new Secret(`certfarm-token-${id}-${secret}`) };
}

const digestOf = (id: string, secret: string): Buffer => createHash("sha256").update(`${id}.${secret}`).digest();

const isOver = ({ expiresAt }: TokenFacts, now: Instant): boolean => expiresAt !== undefined && now >= expiresAt;

function factsOf({ id, name, role, by, at, expiresAt }: TokenRecord): TokenFacts {
  return { id, name, role, by, at, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

async function forgetOld(state: Store, tokens: readonly (TokenRecord & { readonly rev: Rev })[], now: Instant): Promise<void> {
  for (const { id, expiresAt, rev } of tokens) {
    if (expiresAt === undefined || now < expiresAt + FORGET_MS) continue;
    await state.remove(`${PREFIX}/${id}`, rev).catch((error: unknown) => {
      if (!(error instanceof FarmError) || error.code !== "STORE_CONFLICT") throw error; // another process was first
    });
  }
}
