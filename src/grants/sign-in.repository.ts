import { type DataSource, MoreThan, type Repository } from 'typeorm';
import type { WechatScope } from '../common/wechat-user.js';
import { quotedTablePath } from './table-path.js';
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

/** What is left of a sign-in says only that its state and its code are used up. */
export const WITHDRAWAL = 'openid = NULL, sealed_outcome = NULL, lease_expires_at = NULL';

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

  /**
   * Takes back all that a browser could still bring to an end, or bring back: outcomes are gone, and sign-ins under way
   * have failed. The digests stay, so that no code is exchanged a second time.
   */
  async withdraw(browserDigest: Buffer, appId: string): Promise<void> {
    const table = quotedTablePath(this.rows.metadata);
    await this.rows.query(`UPDATE ${table} SET ${WITHDRAWAL} WHERE browser_digest = $1 AND app_id = $2`, [
      browserDigest,
      appId,
    ]);
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
