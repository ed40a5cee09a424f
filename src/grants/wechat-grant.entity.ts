import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { WechatScope } from '../common/wechat-user.js';

/**
 * What is known of a token pair. `suspect`: WeChat has rejected it once; `dead`: it is gone for good.
 */
export type PairStatus = 'alive' | 'suspect' | 'dead';

/**
 * Whether the pair may read the user's profile. A pair from a silent sign-in after a consent is `unknown`: WeChat
 * sometimes lets it, and says so nowhere; one `fetchUserInfo` settles it.
 */
export type PairAbility = 'able' | 'unable' | 'unknown';

/**
 * What one user has granted to one account: the current token pair, and the consent to read the profile.
 *
 * The two are apart because WeChat keeps them apart: every authorization, also a silent one, replaces the pair,
 * while a consent lasts for 30 days whatever happens to the pair.
 *
 * No column has a default or a date filled in by the database: all instants come from `WechatClock`.
 */
@Entity({ name: 'wechat_grant' })
export class WechatGrant {
  @PrimaryColumn({
    name: 'app_id',
    type: 'varchar',
    length: 32,
    primaryKeyConstraintName: 'wechat_grant_pkey',
  })
  appId!: string;

  @PrimaryColumn({ type: 'varchar', length: 128, primaryKeyConstraintName: 'wechat_grant_pkey' })
  openid!: string;

  @Column({ type: 'varchar', length: 128, nullable: true })
  unionid!: string | null;

  /** Grows with every change of the pair. Whoever writes to the pair names the version it read. */
  @Column({ name: 'pair_version', type: 'integer' })
  pairVersion!: number;

  /** The scope of the authorization that the pair came from. */
  @Column({ name: 'pair_scope', type: 'varchar', length: 16 })
  pairScope!: WechatScope;

  @Column({ name: 'pair_status', type: 'varchar', length: 16 })
  pairStatus!: PairStatus;

  @Column({ name: 'pair_ability', type: 'varchar', length: 16 })
  pairAbility!: PairAbility;

  /** When WeChat first rejected a pair that is suspect. */
  @Column({ name: 'pair_suspect_since', type: 'timestamptz', nullable: true })
  pairSuspectSince!: Date | null;

  /** Access token and refresh token, sealed to this row. */
  @Column({ name: 'sealed_tokens', type: 'text' })
  sealedTokens!: string;

  /** Counted from before the request that brought the token was sent. */
  @Column({ name: 'access_token_expires_at', type: 'timestamptz' })
  accessTokenExpiresAt!: Date;

  /** Fixed by the authorization; a refresh never moves it. */
  @Column({ name: 'refresh_token_expires_at', type: 'timestamptz' })
  refreshTokenExpiresAt!: Date;

  /** When the user last agreed to give the profile; null if never. */
  @Column({ name: 'consented_at', type: 'timestamptz', nullable: true })
  consentedAt!: Date | null;

  /** The consent is live before this instant. Moved to an earlier one when WeChat says that the consent has ended. */
  @Column({ name: 'consent_expires_at', type: 'timestamptz', nullable: true })
  consentExpiresAt!: Date | null;

  /** The profile, sealed to this row; null until it was read once. */
  @Column({ name: 'sealed_user_info', type: 'text', nullable: true })
  sealedUserInfo!: string | null;

  @Column({ name: 'user_info_fetched_at', type: 'timestamptz', nullable: true })
  userInfoFetchedAt!: Date | null;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;

  /** When a sign-in last completed; null until the first one has. */
  @Column({ name: 'signed_in_at', type: 'timestamptz', nullable: true })
  signedInAt!: Date | null;
}
