import { WechatEmulatorError } from './emulator.errors.js';
import type { EmulatorState, LedgerEntries, SignedIn, Subject } from './emulator.state.js';
import { deriveOpenid } from './identifiers.js';
import { Ledger } from './ledger.js';
import { People, type Person } from './people.js';
import { Quotas } from './quotas.js';
import { SeededRandom } from './random.js';
import { SecondCallbacks } from './second.callbacks.js';
import type { EmulatorApp, EmulatorSettings } from './settings.js';
import { StateFile } from './state.file.js';
import { TokenMint } from './token.mint.js';

/** What an app gets to know of a user. */
export interface Profile {
  readonly openid: string;
  readonly unionid: string | undefined;
  readonly nickname: string;
  readonly nicknameBytes: Uint8Array | undefined;
  readonly headimgurl: string;
  readonly privilege: readonly string[];
}

/** The apps and people of the emulated WeChat, with what they have done, its clock and its randomness. */
export class WechatPlatform {
  readonly apps: readonly EmulatorApp[];
  readonly people: People;
  readonly quotas: Quotas;
  /** Where the emulator is reached, which is known only once it listens. */
  origin = '';
  ledger: Ledger;
  signedIn: SignedIn;
  /** The authorization request of each user's latest snapshot page. */
  readonly snapshots = new Map<string, string>();
  readonly secondCallbacks = new SecondCallbacks();
  /** Those whose state was changed since the last {@link save}. */
  readonly changedPeople = new Set<Person>();
  private clockOffsetMs = 0;
  private random: SeededRandom;
  private file: StateFile | undefined;
  /** What there is besides lists, as it was last saved. */
  private savedMark = '';

  constructor(readonly settings: EmulatorSettings) {
    this.apps = settings.apps;
    this.people = new People(
      settings.people,
      settings.apps.map(({ appId }) => appId),
      this,
    );
    this.quotas = new Quotas(settings.quotaPerMinute);
    this.random = new SeededRandom(settings.seed);
    this.ledger = new Ledger(new TokenMint(settings.seed));
    this.signedIn = { userId: this.people.first().openid, count: 0 };
    this.file = settings.stateFile === undefined ? undefined : new StateFile(settings.stateFile);
    const saved = this.file?.open();
    if (saved) {
      this.restore(saved);
    }
    this.ledger.isWatched = this.file !== undefined;
  }

  now(): Date {
    return new Date(this.nowMs());
  }

  nowMs(): number {
    return this.settings.nowMs() + this.clockOffsetMs;
  }

  /** @throws {WechatEmulatorError} if there is no such time. */
  advanceTime(ms: number): void {
    if (!(ms >= 0) || Number.isNaN(new Date(this.nowMs() + ms).getTime())) {
      throw new WechatEmulatorError(
        'emulator_argument',
        `The emulator's clock cannot go forward by ${String(ms)} ms: give a number of 0 or more, and no more than fits into a date.`,
      );
    }
    this.clockOffsetMs += ms;
  }

  /** @returns what `create` makes of the platform's randomness and time. */
  draw<Drawn>(create: (random: SeededRandom, now: Date) => Drawn): Drawn {
    return create(this.random, this.now());
  }

  /** Back to the beginning, except for the randomness: a code or token that was given out never comes again. */
  reset(): void {
    this.ledger = new Ledger(new TokenMint(this.random.seed), this.ledger.nextEntry);
    this.ledger.isWatched = this.file !== undefined;
    this.clockOffsetMs = 0;
    this.people.reset();
    this.quotas.reset();
    this.snapshots.clear();
    this.signIn(this.people.first());
    // A new ledger does not know what the former one had.
    this.file?.rewriteNext();
  }

  /** Signs a user in to WeChat, in every browser. */
  signIn({ openid }: Person): void {
    this.signedIn = { userId: openid, count: this.signedIn.count + 1 };
  }

  findApp(appId: string): EmulatorApp | undefined {
    return this.apps.find((app) => app.appId === appId);
  }

  subjectOf(appId: string, person: Person): Subject {
    return { openid: this.people.openidAt(appId, person), userId: person.openid, snapshot: false };
  }

  /** @returns what there is to know of the user that a code or a pair is for; of a virtual one for a snapshot page. */
  profileOf({ openid, userId, snapshot }: Subject): Profile {
    const nobody = { nicknameBytes: undefined, headimgurl: '', privilege: [] };
    const person = this.people.get(userId);
    const { unionid, nickname, headimgurl } = person;
    if (snapshot) {
      // One unionid for all: the same virtual unionid has been seen with several virtual openids. But none at an app
      // that is bound to no open platform account, where the person has none either.
      const virtualUnionid = unionid === undefined ? undefined : deriveOpenid('virtual unionid');
      return { ...nobody, openid, unionid: virtualUnionid, nickname: '微信用户' };
    }
    // The nickname of a closed account as one capture has it.
    if (person.state.deregistered) return { ...nobody, openid, unionid, nickname: '用户已经注销' };
    const { nicknameBytes, privilege } = person.definition;
    return { openid, unionid, nickname, nicknameBytes, headimgurl, privilege };
  }

  hasLiveConsent(subject: Subject): boolean {
    const consentedAtMs = this.ledger.find(subject.openid)?.consentedAtMs;
    return consentedAtMs !== undefined && this.nowMs() < consentedAtMs + this.settings.consentLifetimeMs;
  }

  /** Keeps what has changed, if there is a file to keep it in. Costs next to nothing if nothing has. */
  save(): void {
    const { file, ledger, people, changedPeople } = this;
    if (!file) {
      if (ledger.hasChanged) ledger.forgetChanges();
      if (changedPeople.size > 0) changedPeople.clear();
      return;
    }
    const mark = `${String(this.random.position)} ${String(this.clockOffsetMs)} ${String(this.signedIn.count)}`;
    const hasChanged = ledger.hasChanged || changedPeople.size > 0 || mark !== this.savedMark;
    if (hasChanged && !file.needsAll) file.append(this.stateOf([...changedPeople], ledger.changes()));
    if (file.needsAll) {
      const changed = people.all.filter((person) => person.hasChanged);
      file.write(this.stateOf(changed, ledger.kept()));
    }
    this.savedMark = mark;
    changedPeople.clear();
    ledger.forgetChanges();
  }

  /** Leaves the file to others. What happens later is kept no more. */
  close(): void {
    this.file?.close();
    this.file = undefined;
  }

  private stateOf(people: readonly Person[], entries: LedgerEntries): EmulatorState {
    return {
      version: 3,
      seed: this.random.seed,
      randomPosition: this.random.position,
      clockOffsetMs: this.clockOffsetMs,
      signedIn: this.signedIn,
      users: people.map(({ openid, state }) => ({ userId: openid, ...state })),
      ...entries,
    };
  }

  /** Takes over what was saved, apart from what belongs to users and apps that are no longer there. */
  private restore(saved: EmulatorState): void {
    const isKnown = ({ userId, appId }: { userId: string; appId?: string }): boolean =>
      this.people.find(userId)?.openid === userId &&
      (appId === undefined || this.findApp(appId) !== undefined);
    this.random = new SeededRandom(saved.seed, saved.randomPosition);
    this.clockOffsetMs = saved.clockOffsetMs;
    this.signedIn = isKnown(saved.signedIn)
      ? saved.signedIn
      : { ...this.signedIn, count: saved.signedIn.count };
    for (const { userId, ...state } of saved.users) {
      this.people.find(userId)?.change(state);
    }
    this.ledger = new Ledger(new TokenMint(saved.seed), {
      ...saved,
      entries: saved.entries.filter(isKnown),
      pending: saved.pending.filter(isKnown),
      codes: saved.codes.filter(isKnown),
    });
  }
}
