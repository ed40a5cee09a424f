import type { WechatEmulatorApp, WechatEmulatorUser } from './emulator.types.js';
import type { EmulatorState, SignedIn, Subject, UserState } from './emulator.state.js';
import { Ledger } from './ledger.js';
import { SeededRandom } from './random.js';
import type { EmulatorSettings, UserDefinition } from './settings.js';
import { StateFile } from './state.file.js';
import { deriveOpenid } from './tokens.js';

/** How long a consent to `snsapi_userinfo` spares the user the next one: 30 days, as Tencent's staff has said. */
const CONSENT_LIFETIME_MS = 30 * 86_400_000;

/** The apps and people of the emulated WeChat, with what they have done, its clock and its randomness. */
export class WechatPlatform {
  readonly apps: readonly Required<WechatEmulatorApp>[];
  readonly users: readonly WechatEmulatorUser[];
  ledger = new Ledger();
  signedIn: SignedIn;
  private clockOffsetMs = 0;
  private random: SeededRandom;
  private userStates: Map<string, UserState>;
  private readonly usersByOpenid = new Map<string, WechatEmulatorUser>();
  private readonly file: StateFile | undefined;
  private origin = '';

  constructor(readonly settings: EmulatorSettings) {
    this.apps = settings.apps;
    this.users = settings.users.map((definition) => this.describeUser(definition));
    for (const user of this.users) {
      for (const app of this.apps) {
        this.usersByOpenid.set(this.openidAt(app.appId, user.openid), user);
      }
    }
    this.random = new SeededRandom(settings.seed);
    this.userStates = this.firstUserStates();
    this.signedIn = { userId: this.firstUserId(), count: 0 };
    this.file = settings.stateFile === undefined ? undefined : new StateFile(settings.stateFile);
    const saved = this.file?.load();
    if (saved) {
      this.restore(saved);
    }
  }

  /** Tells where the emulator is reached, which is known only once it listens. */
  setOrigin(origin: string): void {
    this.origin = origin;
  }

  now(): Date {
    return new Date(this.settings.now().getTime() + this.clockOffsetMs);
  }

  nowMs(): number {
    return this.now().getTime();
  }

  advanceTime(ms: number): void {
    this.clockOffsetMs += ms;
  }

  /** @returns what `create` makes of the platform's randomness and time. */
  draw(create: (random: SeededRandom, now: Date) => string): string {
    return create(this.random, this.now());
  }

  /** Back to the beginning, except for the randomness: a code that was given out never comes again. */
  reset(): void {
    this.ledger = new Ledger();
    this.clockOffsetMs = 0;
    this.userStates = this.firstUserStates();
    this.signIn(this.firstUserId());
  }

  /** Signs a user in to WeChat, in every browser. */
  signIn(userId: string): void {
    this.signedIn = { userId, count: this.signedIn.count + 1 };
  }

  findApp(appId: string): Required<WechatEmulatorApp> | undefined {
    return this.apps.find((app) => app.appId === appId);
  }

  /** @returns the user who has this openid at any of the apps. */
  findUser(openid: string): WechatEmulatorUser | undefined {
    return this.usersByOpenid.get(openid);
  }

  /** @returns the user's openid at this app: it differs from app to app. */
  openidAt(appId: string, userId: string): string {
    return appId === this.apps[0]?.appId ? userId : deriveOpenid('openid', appId, userId);
  }

  userState(userId: string): UserState {
    return must(this.userStates.get(userId), userId);
  }

  /** @returns the user that a code or a pair is for; a virtual one for a snapshot page. */
  profileOf(subject: Subject): WechatEmulatorUser {
    if (subject.snapshot) {
      // One unionid for all: the same virtual unionid has been seen with several virtual openids.
      const unionid = deriveOpenid('virtual unionid');
      return { openid: subject.openid, unionid, nickname: '微信用户', headimgurl: '', follows: false };
    }
    const user = must(this.findUser(subject.userId), subject.userId);
    // The nickname of a closed account as one capture has it.
    return this.userState(user.openid).deregistered
      ? { ...user, nickname: '用户已经注销', headimgurl: '' }
      : user;
  }

  hasLiveConsent(appId: string, userId: string): boolean {
    const consent = this.ledger.consent(appId, userId);
    return consent !== undefined && this.nowMs() < consent.grantedAtMs + CONSENT_LIFETIME_MS;
  }

  /** Keeps the state, if there is a file to keep it in. */
  save(): void {
    this.file?.save({
      version: 1,
      seed: this.random.seed,
      randomPosition: this.random.position,
      clockOffsetMs: this.clockOffsetMs,
      signedIn: this.signedIn,
      users: [...this.userStates.values()],
      ...this.ledger.entries(),
    });
  }

  /** Takes over what was saved, apart from what belongs to users and apps that are no longer there. */
  private restore(saved: EmulatorState): void {
    const isKnown = ({ userId, appId }: { userId: string; appId?: string }): boolean =>
      this.userStates.has(userId) && (appId === undefined || this.findApp(appId) !== undefined);
    this.random = new SeededRandom(saved.seed, saved.randomPosition);
    this.clockOffsetMs = saved.clockOffsetMs;
    this.signedIn = isKnown(saved.signedIn)
      ? saved.signedIn
      : { ...this.signedIn, count: saved.signedIn.count };
    for (const user of saved.users.filter(isKnown)) {
      this.userStates.set(user.userId, user);
    }
    this.ledger = new Ledger({
      consents: saved.consents.filter(isKnown),
      pending: saved.pending.filter(isKnown),
      codes: saved.codes.filter(isKnown),
      pairs: saved.pairs.filter(isKnown),
    });
  }

  private firstUserId(): string {
    return must(this.users[0], 'at all').openid;
  }

  private firstUserStates(): Map<string, UserState> {
    return new Map(
      this.settings.users.map(({ openid, follows }) => [
        openid,
        { userId: openid, follows, snapshot: false, deregistered: false },
      ]),
    );
  }

  private describeUser(definition: UserDefinition): WechatEmulatorUser {
    const follows = (): boolean => this.userState(definition.openid).follows;
    // The size is the last part of the path, as in WeChat's own addresses.
    const avatar = (): string => `${this.origin}/mmopen/vi_32/${definition.openid}/132`;
    return {
      openid: definition.openid,
      ...(definition.unionid === undefined ? {} : { unionid: definition.unionid }),
      nickname: definition.nickname,
      get headimgurl() {
        return definition.headimgurl ?? avatar();
      },
      get follows() {
        return follows();
      },
    };
  }
}

function must<Value>(value: Value | undefined, id: string): Value {
  if (value === undefined) {
    throw new Error(`The emulator has no user ${id}.`);
  }
  return value;
}
