import { type DataSource, In } from 'typeorm';
import { WechatAccountState } from '../grants/wechat-account-state.entity.js';
import { WechatQuota } from '../grants/wechat-quota.entity.js';
import { CALLS_PER_MINUTE } from '../refresh/refresher.js';

const MINUTE_MS = 60 * 1000;

/** How an account stands at WeChat, as all instances together have seen it. */
export interface AccountStanding {
  readonly appId: string;
  /** No refresh is sent, since WeChat says that something about the account is wrong. */
  readonly isStopped: boolean;
  readonly stoppedByErrcode: number | null;
  /** No grant is marked, since WeChat rejects more refresh tokens than can be true. */
  readonly isMarkingStopped: boolean;
}

/** What is left of WeChat's calls a minute. */
export interface QuotaLeft {
  readonly appId: string;
  readonly endpoint: string;
  readonly calls: number;
}

/** Reads what instances have written down about accounts: a few rows. */
export class AccountStandings {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns one for each account. */
  async read(appIds: readonly string[]): Promise<AccountStanding[]> {
    const rows = await this.dataSource.getRepository(WechatAccountState).findBy({ appId: In([...appIds]) });
    const states = new Map(rows.map((row) => [row.appId, row]));
    return appIds.map((appId) => {
      const state = states.get(appId);
      return {
        appId,
        isStopped: Boolean(state?.stoppedAt),
        stoppedByErrcode: state?.stoppedByErrcode ?? null,
        isMarkingStopped: Boolean(state?.markingStoppedAt),
      };
    });
  }

  /** @returns one for each account and endpoint that is counted. */
  async readQuotas(appIds: readonly string[], now: Date): Promise<QuotaLeft[]> {
    const rows = await this.dataSource.getRepository(WechatQuota).findBy({ appId: In([...appIds]) });
    const minuteMs = Math.floor(now.getTime() / MINUTE_MS) * MINUTE_MS;
    return rows.map(({ appId, endpoint, minute, calls }) => ({
      appId,
      endpoint,
      // What was counted in an earlier minute is whole again.
      calls: Math.max(0, CALLS_PER_MINUTE - (minute.getTime() < minuteMs ? 0 : calls)),
    }));
  }
}
