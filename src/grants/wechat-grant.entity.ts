import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { WechatScope } from '../common/wechat-user.js';

/**
 * What is known of a token pair. `suspect`: WeChat has rejected it once, or did not say whether it or another sign-in's
 * is the one that it keeps; `dead`: it is gone for good.
 */
export type PairStatus = 'alive' | 'suspect' | 'dead';

/**
 * Whether the pair may read the user's profile. A pair from a silent sign-in after a consent is `unknown`: WeChat
 * sometimes lets it, and says so nowhere; one `fetchUserInfo` settles it.
 */
export type PairAbility = 'able' | 'unable' | 'unknown';

/**
 * What the host was last told about the end of a consent. `due`: it ends soon, so the user is asked when there is an
 * occasion; `required`: it has ended.
 */
export type ConsentNotice = 'due' | 'required';

/**
 * What one user has granted to one account: the current token pair, and the consent to read the profile.
 *
 * The two are apart because WeChat keeps them apart: every authorization, also a silent one, replaces the pair,
 * while a consent lasts for 30 days whatever happens to the pair.
 *
 * No column has a default or a date filled in by the database: all instants come from `WechatClock`.
 */
@Entity({ name: 'wechat_grant' })
@Index('wechat_grant_refresh_due_idx', ['appId', 'refreshDueAt'], { where: '"refresh_due_at" IS NOT NULL' })
@Index('wechat_grant_consent_review_idx', ['consentReviewAt'], { where: '"consent_review_at" IS NOT NULL' })
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

  /** Since when a suspect pair is suspect. */
  @Column({ name: 'pair_suspect_since', type: 'timestamptz', nullable: true })
  pairSuspectSince!: Date | null;

  /**
   * When WeChat's answer to the authorization that the pair came from had arrived; a refresh never moves it. Null for a
   * pair of before there was this column.
   */
  @Column({ name: 'authorized_at', type: 'timestamptz', nullable: true })
  authorizedAt!: Date | null;

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

  /**
   * When the access token is to be refreshed. Null for a pair that is not kept alive: nobody has consented, it cannot
   * read the profile, or it is dead, or the user has not signed in for longer than the host wants to wait.
   */
  @Column({ name: 'refresh_due_at', type: 'timestamptz', nullable: true })
  refreshDueAt!: Date | null;

  /** Who refreshes the pair just now, on whichever instance. */
  @Column({ name: 'refresh_lease_id', type: 'uuid', nullable: true })
  refreshLeaseId!: string | null;

  /** From this instant on, somebody else may take over from whoever refreshes. */
  @Column({ name: 'refresh_lease_expires_at', type: 'timestamptz', nullable: true })
  refreshLeaseExpiresAt!: Date | null;

  /** How many refreshes in a row have failed for a reason that passes. */
  @Column({ name: 'refresh_failures', type: 'integer' })
  refreshFailures!: number;

  /** When a refresh last failed, for whatever reason; null after one that did not. */
  @Column({ name: 'refresh_failed_at', type: 'timestamptz', nullable: true })
  refreshFailedAt!: Date | null;

  /** When it is to be looked at next whether the consent ends soon, or has ended; null if there is nothing to see. */
  @Column({ name: 'consent_review_at', type: 'timestamptz', nullable: true })
  consentReviewAt!: Date | null;

  @Column({ name: 'consent_notice', type: 'varchar', length: 16, nullable: true })
  consentNotice!: ConsentNotice | null;

  /** When a page last asked the user again because the consent ends soon. */
  @Column({ name: 'consent_asked_at', type: 'timestamptz', nullable: true })
  consentAskedAt!: Date | null;

  /** The host wants the user asked by WeChat's own page, even if WeChat remembers a consent. */
  @Column({ name: 'consent_popup_wanted', type: 'boolean' })
  consentPopupWanted!: boolean;
}
