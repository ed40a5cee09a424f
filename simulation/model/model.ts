import type { ActFact, AnswerFact, EventFact, Phase } from './facts.js';
import { type KnownPair, type KnownToken, KnownUser } from './known.user.js';
import { ACCESS_TOKEN_MS } from './times.js';

/** What is true, worked out from what was seen of WeChat and of the people alone: the application is not asked. */
export class Model {
  private readonly users = new Map<string, KnownUser>();
  private readonly pairs = new Map<string, KnownPair>();
  private readonly tokens = new Map<string, KnownToken>();
  /** Who signs in on two phones at this very moment, so that the order is nobody's to know. */
  private contended: ReadonlySet<string> = new Set();
  /** When an instance was last killed. */
  killedAtMs = -Infinity;

  /** @param rememberConsents whether WeChat lets a pair of a silent sign-in read the profile of who has consented. */
  constructor(readonly rememberConsents = true) {}

  user(openid: string): KnownUser {
    let user = this.users.get(openid);
    if (!user) this.users.set(openid, (user = new KnownUser(openid)));
    return user;
  }

  get allUsers(): Iterable<KnownUser> {
    return this.users.values();
  }

  pair(id: string): KnownPair | undefined {
    return this.pairs.get(id);
  }

  token(accessToken: string): KnownToken | undefined {
    return this.tokens.get(accessToken);
  }

  /** Takes in what has happened, once it has been checked against what was known before. */
  apply(phase: Phase): void {
    if (phase.killed.size > 0) this.killedAtMs = phase.atMs;
    this.contended = usersOnTwoPhones(phase);
    this.forgetOldPairs(phase);
    for (const fact of phase.facts) {
      if (fact.kind === 'answer') this.applyAnswer(fact, phase);
      else if (fact.kind === 'act') this.applyAct(fact, phase);
      else if (fact.kind === 'event') this.applyEvent(fact);
      else if (fact.kind === 'visit' && fact.end === 'served') this.user(fact.openid).hasSignedIn = true;
    }
  }

  /** Exchanges of this phase replace what was there. */
  private forgetOldPairs({ facts, killed }: Phase): void {
    for (const fact of facts) {
      if (fact.kind === 'answer' && isTold(fact, killed) && isExchange(fact)) {
        this.user(fact.openid).possiblePairs.clear();
      }
    }
  }

  private applyAnswer(fact: AnswerFact, { atMs, killed }: Phase): void {
    if (isExchange(fact)) {
      this.applyExchange(fact, atMs, killed);
      return;
    }
    const pair = this.pairs.get(fact.pair);
    if (!pair) return;
    if (fact.outcome === 'ok' && fact.endpoint === 'refresh') this.applyRefresh(pair, fact, atMs, killed);
    if (fact.outcome === 'ok') pair.rejectedAtMs = [];
    if (fact.outcome === 'rejected') pair.rejectedAtMs.push(atMs);
    if (fact.outcome === 'refused') this.applyRefusal(pair, fact, atMs, killed);
  }

  private applyExchange(
    { openid, pair: id, accessToken, scope = 'base', ...fact }: AnswerFact,
    atMs: number,
    killed: ReadonlySet<number>,
  ): void {
    const user = this.user(openid);
    const pair: KnownPair = {
      id,
      openid,
      scope,
      issuedAtMs: atMs,
      hadConsent: user.isConsentLive(atMs),
      mayHaveHadConsent: user.mayConsentBeLive(atMs),
      accessToken,
      unconfirmedAccessToken: undefined,
      rejectedAtMs: [],
      refusedAtMs: undefined,
      passwordChanged: false,
    };
    this.pairs.set(id, pair);
    this.tokens.set(accessToken, { pair, endsAtMs: atMs + ACCESS_TOKEN_MS });
    // WeChat's side of it is true whoever was told.
    if (scope === 'userinfo') user.isWithdrawn = false;
    if (!isTold(fact, killed)) {
      user.isSuperseded = true;
      if (!fact.isDelivered) return;
      user.possiblePairs.add(id);
      user.isConsentUncertain ||= scope === 'userinfo';
      return;
    }
    user.isSuperseded = false;
    // One browser signs in again only when it is through with the time before.
    if (!this.contended.has(openid)) user.possiblePairs.clear();
    user.possiblePairs.add(id);
    user.pair = pair;
    if (scope === 'base') return;
    for (const rival of user.possiblePairs) this.noteConsentFor(rival);
    user.consent = { atMs, endedAtMs: undefined, dueEvents: 0, endEvents: 0 };
    user.isConsentUncertain = false;
  }

  private noteConsentFor(id: string): void {
    const pair = this.pairs.get(id);
    if (pair) pair.mayHaveHadConsent = true;
  }

  private applyRefresh(pair: KnownPair, fact: AnswerFact, atMs: number, killed: ReadonlySet<number>): void {
    this.tokens.set(fact.accessToken, { pair, endsAtMs: atMs + ACCESS_TOKEN_MS });
    if (isTold(fact, killed)) pair.accessToken = fact.accessToken;
    else pair.unconfirmedAccessToken = fact.accessToken;
  }

  /** To a pair that came with a consent it means that the consent has ended; to a silent one, that it cannot. */
  private applyRefusal(pair: KnownPair, fact: AnswerFact, atMs: number, killed: ReadonlySet<number>): void {
    pair.refusedAtMs = atMs;
    const user = this.user(pair.openid);
    if (pair.scope !== 'userinfo' || user.pair !== pair || !user.consent) return;
    if (isTold(fact, killed)) user.consent.endedAtMs ??= atMs;
    else user.isConsentUncertain = true;
  }

  private applyAct({ openid, act, isUncertain }: ActFact, { atMs }: Phase): void {
    const user = this.user(openid);
    switch (act) {
      case 'password-changed':
        for (const pair of this.pairs.values()) if (pair.openid === openid) pair.passwordChanged = true;
        break;
      case 'consent-withdrawn':
        user.isWithdrawn = true;
        break;
      case 'consent-required':
        if (isUncertain) user.isConsentUncertain = true;
        else if (user.consent) user.consent.endedAtMs = atMs;
        break;
      case 'forgotten':
        if (isUncertain) user.isConsentUncertain = true;
        user.pair = undefined;
        user.possiblePairs.clear();
        user.consent = undefined;
        user.hasSignedIn = false;
        break;
      case 'signed-out':
      case 'cookies-lost':
        break;
    }
  }

  private applyEvent({ openid, name, reason }: EventFact): void {
    const { consent } = this.user(openid);
    if (!consent) return;
    if (name === 'wechat.consent-due') consent.dueEvents += 1;
    if (name === 'wechat.consent-required' && reason !== 'rejected') consent.endEvents += 1;
  }
}

export function isExchange({ endpoint, outcome }: AnswerFact): boolean {
  return endpoint === 'token' && outcome === 'ok';
}

function usersOnTwoPhones({ facts }: Phase): Set<string> {
  const visitors = facts.flatMap((fact) => (fact.kind === 'visit' ? fact.openid : []));
  return new Set(visitors.filter((openid, index) => visitors.indexOf(openid) !== index));
}

/** Whether an instance that lived on has got the answer. */
export function isTold(
  { isDelivered, instance }: Pick<AnswerFact, 'isDelivered' | 'instance'>,
  killed: ReadonlySet<number>,
): boolean {
  return isDelivered && !killed.has(instance);
}
