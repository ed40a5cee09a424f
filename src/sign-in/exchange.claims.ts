import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { WechatClock } from '../common/clock.js';
import { sha256 } from '../common/digest.js';
import { WechatRandomness } from '../common/randomness.js';
import { Sealer } from '../common/sealer.js';
import type { WechatSession } from '../common/session.js';
import type { WechatScope } from '../common/wechat-user.js';
import { SignInRepository } from '../grants/sign-in.repository.js';
import { parseSession, sessionClaims } from './session.claims.js';

/** How long an outcome serves further hits of its callback, and how long a code is remembered. */
const REMEMBERED_MS = 15 * 60 * 1000;
/** How long an exchange may take before others may give it up; renewed while it is at work. */
const LEASE_MS = 30_000;
const LEASE_RENEWAL_MS = 10_000;
/** After 2 minutes whatever hangs is given up, and its browser may start anew. */
const MAX_RENEWALS = 12;
/** A second hit waits this often and this long for the first one's outcome: 5 s in all. */
const WAIT_ROUNDS = 20;
const WAIT_ROUND_MS = 250;
/** A browser that completes more sign-ins of a kind than this in a minute is going in circles. */
const MAX_COMPLETED_PER_MINUTE = 2;
const MINUTE_MS = 60_000;

/**
 * What became of a state: a session; `unknown`, nobody has come with it; `pending`, somebody is at work on it;
 * `given-up`, it failed or was never finished.
 */
export type ExchangeOutcome = CompletedExchange | 'unknown' | 'pending' | 'given-up';

export interface CompletedExchange {
  session: WechatSession;
  /** Whether it came of this code. */
  isOf(code: string): boolean;
}

/** What a claim is about. */
export interface ExchangeSubject {
  appId: string;
  scope: WechatScope;
  state: string;
  code: string;
  browserId: string;
}

/**
 * Sees to it, across processes, that one state leads to one exchange, and that whoever comes with it later gets the
 * first one's outcome. Nothing is locked, and no connection held, while an exchange is at work.
 */
@Injectable()
export class ExchangeClaims {
  constructor(
    @Inject(WechatClock) private readonly clock: WechatClock,
    @Inject(WechatRandomness) private readonly randomness: WechatRandomness,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(SignInRepository) private readonly signIns: SignInRepository,
  ) {}

  /** @returns a claim if nobody has come before with this state or with this code; undefined otherwise. */
  async take({ appId, scope, state, code, browserId }: ExchangeSubject): Promise<ExchangeClaim | undefined> {
    const id = this.newId();
    const isFirst = await this.signIns.claim({
      id,
      stateDigest: sha256(state),
      codeDigest: sha256(code),
      browserDigest: sha256(browserId),
      appId,
      scope,
      leaseExpiresAt: this.fromNow(LEASE_MS),
      expiresAt: this.fromNow(REMEMBERED_MS),
    });
    return isFirst ? this.claim(id, state) : undefined;
  }

  /** Waits a while for somebody who is at work on the state. */
  async outcomeOf(state: string): Promise<ExchangeOutcome> {
    for (let round = 0; round < WAIT_ROUNDS; round++) {
      const row = await this.signIns.findByState(sha256(state));
      if (!row) return 'unknown';
      const now = this.clock.now();
      if (row.sealedOutcome !== null && now < row.expiresAt) {
        const claims = this.sealer.open('outcome', audienceOf(state), row.sealedOutcome);
        return { session: parseSession(claims), isOf: (code) => row.codeDigest.equals(sha256(code)) };
      }
      if (row.leaseExpiresAt === null || now >= row.leaseExpiresAt) return 'given-up';
      await sleep(WAIT_ROUND_MS);
    }
    return 'pending';
  }

  /** Makes sure that a code is not exchanged, here or on another instance. */
  burn(code: string, appId: string): Promise<void> {
    return this.signIns.rememberCode({
      id: this.newId(),
      codeDigest: sha256(code),
      appId,
      expiresAt: this.fromNow(REMEMBERED_MS),
    });
  }

  /** Takes back what a browser has signed in to, or is about to: nothing of it can be had again. */
  withdraw(browserId: string, appId: string): Promise<void> {
    return this.signIns.withdraw(sha256(browserId), appId);
  }

  /** Whether a browser signs in again and again, as one does that does not keep its session. */
  async isGoingInCircles({ browserId, appId, scope }: ExchangeSubject): Promise<boolean> {
    const since = this.fromNow(-MINUTE_MS);
    const completed = await this.signIns.countCompleted(sha256(browserId), appId, scope, since);
    return completed >= MAX_COMPLETED_PER_MINUTE;
  }

  private claim(id: string, state: string): ExchangeClaim {
    let renewals = 0;
    const renewal = setInterval(() => {
      if (++renewals >= MAX_RENEWALS) clearInterval(renewal);
      // If it fails, the lease runs out, and the completion finds that out.
      this.signIns.renewLease(id, this.clock.now(), this.fromNow(LEASE_MS)).catch(() => undefined);
    }, LEASE_RENEWAL_MS);
    return {
      complete: (session) => {
        clearInterval(renewal);
        return this.signIns.complete(id, {
          openid: session.snapshot ? null : session.openid,
          sealedOutcome: this.sealer.seal('outcome', audienceOf(state), sessionClaims(session)),
          completedAt: this.clock.now(),
          expiresAt: this.fromNow(REMEMBERED_MS),
        });
      },
      giveUp: async () => {
        clearInterval(renewal);
        // Without the database the lease runs out by itself.
        await this.signIns.release(id, this.clock.now()).catch(() => undefined);
      },
    };
  }

  private fromNow(ms: number): Date {
    return new Date(this.clock.now().getTime() + ms);
  }

  private newId(): string {
    const hex = this.randomness.bytes(16).toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
}

/** The right to exchange a code. It lasts until one of the two is called, or this process ends. */
export interface ExchangeClaim {
  /** @returns false if the claim was lost meanwhile, and its browser told to start anew. */
  complete(session: WechatSession): Promise<boolean>;
  giveUp(): Promise<void>;
}

/** An outcome opens only for the state that it came of. */
function audienceOf(state: string): string {
  return `outcome/${sha256(state).toString('hex')}`;
}
