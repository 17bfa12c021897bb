import type { Clock } from "../base/index.ts";
import { isLeaving, type Member } from "./member.ts";
import { note, PROVED, proofOf, UNKNOWN, type NameRecord, type Proof } from "./proof-book.ts";
import type { Roster } from "./roster.ts";

/** What asking needs. */
export interface NameQuestionsContext {
  readonly roster: Roster;
  readonly clock: Clock;
  readonly nameWaitMs: number;
  /** Puts the question to one node; never rejects. */
  ask(member: Member, host: string, port: number): Promise<Proof>;
}

/** Names that are asked for at once; beyond that connections do not wait (a scan of names must not become a storm of questions). */
const MAX_QUESTIONS = 256;
/** Between two questions for a name that a node did not answer. */
const RETRY_MS = 1000;
/** Age at which an answer of a node without a feed, and a refusal by all, is asked for again. */
const STALE_MS = 5000;
/** How long the others may still answer once one node proved the name. */
const GRACE_MS = 50;

/** Asks nodes whether they proved a name: one question a name at a time, in the background whenever something is known. */
export class NameQuestions {
  readonly #context: NameQuestionsContext;
  #underway = 0;

  constructor(context: NameQuestionsContext) {
    this.#context = context;
  }

  /** Undefined when enough is known of a name to choose a node at once; else a promise that settles within nameWaitMs. */
  learn(record: NameRecord): Promise<void> | undefined {
    const { proved, unknown, withoutFeed } = this.#known(record);
    const age = this.#context.clock.monotonicMs() - record.askedAt;
    if (unknown && !proved) return age > RETRY_MS ? this.#question(record) : record.asking;
    const stale = unknown ? age > RETRY_MS : (withoutFeed || !proved) && age > STALE_MS;
    if (stale) void this.#question(record);
    return undefined;
  }

  #known(record: NameRecord): { proved: boolean; unknown: boolean; withoutFeed: boolean } {
    const known = { proved: false, unknown: false, withoutFeed: false };
    for (const member of this.#context.roster.list) {
      if (!isAsked(member)) continue;
      const proof = proofOf(record, member.column);
      known.proved ||= proof === PROVED;
      known.unknown ||= proof === UNKNOWN;
      known.withoutFeed ||= member.generation === undefined;
    }
    return known;
  }

  /** Asks all nodes anew, unless a question for the name is under way. The promise never rejects. */
  #question(record: NameRecord): Promise<void> | undefined {
    if (record.asking !== undefined) return record.asking;
    const members = this.#context.roster.list.filter(isAsked);
    if (members.length === 0 || this.#underway >= MAX_QUESTIONS) return undefined;
    this.#underway += 1;
    record.askedAt = this.#context.clock.monotonicMs();
    record.asking = this.#enoughAnswers(record, members);
    return record.asking;
  }

  /** Settles when all have answered, shortly after the first that proved the name, or when the wait is over; later answers are noted too. */
  #enoughAnswers(record: NameRecord, members: readonly Member[]): Promise<void> {
    return new Promise((resolve) => {
      const waits = [setTimeout(resolve, this.#context.nameWaitMs)];
      const finish = (): void => {
        for (const wait of waits) clearTimeout(wait);
        this.#underway -= 1;
        delete record.asking;
        resolve();
      };
      const answers = members.map(async (member) => {
        if ((await this.#askOne(record, member)) === PROVED && waits.length === 1) waits.push(setTimeout(resolve, GRACE_MS));
      });
      void Promise.all(answers).then(finish, finish);
    });
  }

  async #askOne(record: NameRecord, member: Member): Promise<Proof> {
    const since = record.askedAt;
    const proof = await this.#context.ask(member, record.host, record.port);
    const overtaken = record.toldAt >= since && proofOf(record, member.column) !== UNKNOWN;
    if (proof !== UNKNOWN && !member.removed && !overtaken) note(record, member.column, proof);
    return proof;
  }
}

const isAsked = (member: Member): boolean => member.health === "ready" && !isLeaving(member);
