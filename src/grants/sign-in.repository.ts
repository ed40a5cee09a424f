import { type DataSource, MoreThan, type Repository } from 'typeorm';
import type { WechatScope } from '../common/wechat-user.js';
import { WechatSignIn } from './wechat-sign-in.entity.js';

/** A callback that wants to be the one that exchanges its code. */
export interface SignInClaim {
  id: string;
  stateDigest: Buffer;
  codeDigest: Buffer;
  browserDigest: Buffer;
  appId: string;
  scope: WechatScope;
  leaseExpiresAt: Date;
  expiresAt: Date;
}

/** Reads and writes {@link WechatSignIn} rows. */
export class SignInRepository {
  private readonly rows: Repository<WechatSignIn>;

  constructor(dataSource: DataSource) {
    this.rows = dataSource.getRepository(WechatSignIn);
  }

  /** @returns whether the caller may exchange the code: nobody has come before with its state or its code. */
  claim(claim: SignInClaim): Promise<boolean> {
    return this.insert({ ...claim, openid: null, sealedOutcome: null, completedAt: null });
  }

  /** Makes sure that a code is never exchanged, on any instance. */
  async rememberCode(code: Pick<WechatSignIn, 'id' | 'codeDigest' | 'appId' | 'expiresAt'>): Promise<void> {
    await this.insert(code);
  }

  findByState(stateDigest: Buffer): Promise<WechatSignIn | null> {
    return this.rows.findOneBy({ stateDigest });
  }

  /** @returns false if the lease had run out before. */
  async renewLease(id: string, now: Date, leaseExpiresAt: Date): Promise<boolean> {
    return (await this.whileLeased(id, now, { leaseExpiresAt })) === 1;
  }

  /** Gives a claim up: the state cannot be used again, and whoever waits for its outcome starts anew. */
  async release(id: string, now: Date): Promise<void> {
    await this.whileLeased(id, now, { leaseExpiresAt: now });
  }

  /** @returns false if the lease had run out before; the browser has been told to start anew then. */
  async complete(
    id: string,
    outcome: { openid: string | null; sealedOutcome: string; completedAt: Date; expiresAt: Date },
  ): Promise<boolean> {
    return (await this.whileLeased(id, outcome.completedAt, outcome)) === 1;
  }

  /** How often this browser has completed a sign-in of this kind since an instant. */
  countCompleted(browserDigest: Buffer, appId: string, scope: WechatScope, since: Date): Promise<number> {
    return this.rows.countBy({ browserDigest, appId, scope, completedAt: MoreThan(since) });
  }

  private async whileLeased(id: string, now: Date, changes: Partial<WechatSignIn>): Promise<number> {
    const result = await this.rows.update({ id, leaseExpiresAt: MoreThan(now) }, changes);
    return result.affected ?? 0;
  }

  private async insert(row: Partial<WechatSignIn>): Promise<boolean> {
    const result = await this.rows
      .createQueryBuilder()
      .insert()
      .values(row)
      .orIgnore()
      .returning(['id'])
      .execute();
    return (result.raw as unknown[]).length === 1;
  }
}
