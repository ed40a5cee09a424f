import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import type { WechatEmulator } from '../../src/emulator/index.js';
import type { Member } from './fleet.js';
import type { Journey } from './journey.js';

/** Sweeps come ten times a second, and have a few dozen tokens to refresh; in milliseconds of real time. */
const SWEEPS_TAKE_MS = 20_000;
const LOOK_AGAIN_MS = 50;

export interface TokenFindings {
  lost: string[];
  /** Pairs that the user's next page has replaced. */
  repaired: number;
}

/** What would show that a kill has lost something. Each finding is a sentence. */
export class Losses {
  constructor(
    private readonly dataSource: DataSource,
    private readonly wechat: WechatEmulator,
  ) {}

  /** Whoever has seen the page is in the table, and sees it again without being asked anything. */
  async ofSignIns(journeys: readonly Journey[]): Promise<string[]> {
    const rows = await this.dataSource.query<{ openid: string }[]>(
      'SELECT openid FROM wechat_grant WHERE signed_in_at IS NOT NULL',
    );
    const stored = new Set(rows.map(({ openid }) => openid));
    const missing = journeys.filter(({ openid }) => !stored.has(openid));
    const findings = await Promise.all(journeys.map((journey) => this.ofBrowser(journey)));
    return [...missing.map(({ openid }) => `${openid} has signed in and is not stored`), ...findings.flat()];
  }

  private async ofBrowser(journey: Journey): Promise<string[]> {
    const arrival = await journey.go();
    const isSame = arrival.kind === 'there' && arrival.user.openid === journey.openid;
    if (isSame && arrival.answers === 0) return [];
    return [`${journey.openid} was signed in and is not: ${JSON.stringify(arrival)}`];
  }

  /**
   * The sweeps alone take up what the dead one has left: no token stays ended for which WeChat would give another. Call
   * it before anybody asks for tokens, which refreshes them as well.
   */
  async ofSweeps(now: () => Date): Promise<string[]> {
    const giveUpAt = performance.now() + SWEEPS_TAKE_MS;
    for (;;) {
      const left = await this.dataSource.query<{ openid: string; refresh_due_at: Date | null }[]>(
        `SELECT openid, refresh_due_at FROM wechat_grant
         WHERE pair_status = 'alive' AND (refresh_due_at IS NULL OR access_token_expires_at <= $1)`,
        [now()],
      );
      if (left.length === 0) return [];
      if (performance.now() >= giveUpAt) {
        return left.map((row) => `no sweep takes up a token that has ended: ${JSON.stringify(row)}`);
      }
      await sleep(LOOK_AGAIN_MS);
    }
  }

  /** Nobody is given up, nobody is to be asked again, and everybody's token will be refreshed in time. */
  async ofGrants(now: Date): Promise<string[]> {
    const rows = await this.dataSource.query<Record<string, unknown>[]>(
      `SELECT openid, pair_status, pair_ability, consent_notice, refresh_due_at, consent_expires_at FROM wechat_grant
       WHERE pair_status <> 'alive' OR pair_ability <> 'able' OR consent_notice IS NOT NULL OR refresh_due_at IS NULL
         OR consent_expires_at IS NULL OR consent_expires_at <= $1 OR refresh_token_expires_at <= $1`,
      [now],
    );
    return rows.map((row) => `a grant is not what it was: ${JSON.stringify(row)}`);
  }

  /**
   * Of each grant an instance can give a token, and WeChat takes it.
   *
   * @param cutOff whose callback has died with its instance. If that was between WeChat's answer and the table, WeChat
   * has ended the pair in the table, and nobody knows the new one. What is promised then is that the next page of the
   * user brings another pair, silently.
   */
  async ofTokens(members: readonly Member[], cutOff: readonly Journey[]): Promise<TokenFindings> {
    const rows = await this.dataSource.query<{ openid: string }[]>('SELECT openid FROM wechat_grant');
    const findings = await Promise.all(
      rows.map(async ({ openid }, index): Promise<TokenFindings> => {
        const member = members[index % members.length] as Member;
        const flaw = await this.flawOfToken(member, openid);
        if (flaw === undefined) return { lost: [], repaired: 0 };
        const journey = cutOff.find((one) => one.openid === openid);
        if (!journey) return { lost: [flaw], repaired: 0 };
        const afterwards = [
          ...(await this.ofBrowser(journey)),
          (await this.flawOfToken(member, openid)) ?? [],
        ];
        return { lost: afterwards.flat(), repaired: 1 };
      }),
    );
    return {
      lost: findings.flatMap(({ lost }) => lost),
      repaired: findings.reduce((sum, { repaired }) => sum + repaired, 0),
    };
  }

  private async flawOfToken({ process }: Member, openid: string): Promise<string | undefined> {
    try {
      const token = await process.ask<string>('getAccessToken', openid);
      const query = new URLSearchParams({ access_token: token, openid }).toString();
      const answer = await fetch(`${this.wechat.apiBaseUrl}/sns/auth?${query}`);
      const { errcode } = (await answer.json()) as { errcode: number };
      return errcode === 0 ? undefined : `WeChat answers ${String(errcode)} to the token of ${openid}`;
    } catch (error) {
      return `there is no token of ${openid}: ${String(error)}`;
    }
  }

  /** WeChat has never been sent a code twice. */
  ofCodes(): string[] {
    const codes = this.wechat.requests.flatMap(({ endpoint, query }) =>
      endpoint === 'token' ? [query['code'] ?? ''] : [],
    );
    const twice = codes.filter((code, index) => codes.indexOf(code) !== index);
    return twice.map((code) => `the code ${code} was exchanged twice`);
  }
}
