import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { WechatScope } from '../common/wechat-user.js';

/**
 * One sign-in in progress or just completed: what makes a callback that arrives twice, on any instance, end in one
 * exchange and one session. A row with a code alone remembers a code that must not be exchanged any more.
 */
@Entity({ name: 'wechat_sign_in' })
@Index('wechat_sign_in_browser_idx', ['browserDigest', 'completedAt'])
@Index('wechat_sign_in_expires_at_idx', ['expiresAt'])
@Index('wechat_sign_in_user_idx', ['appId', 'openid'], { where: '"openid" IS NOT NULL' })
export class WechatSignIn {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'wechat_sign_in_pkey' })
  id!: string;

  /** SHA-256 of the state. */
  @Index('wechat_sign_in_state_digest_key', { unique: true })
  @Column({ name: 'state_digest', type: 'bytea', nullable: true })
  stateDigest!: Buffer | null;

  /** SHA-256 of the authorization code. */
  @Index('wechat_sign_in_code_digest_key', { unique: true })
  @Column({ name: 'code_digest', type: 'bytea' })
  codeDigest!: Buffer;

  /** SHA-256 of the browser's id. */
  @Column({ name: 'browser_digest', type: 'bytea', nullable: true })
  browserDigest!: Buffer | null;

  @Column({ name: 'app_id', type: 'varchar', length: 32 })
  appId!: string;

  @Column({ type: 'varchar', length: 16, nullable: true })
  scope!: WechatScope | null;

  /** Whoever made the row works on it until this instant; later it counts as given up. */
  @Column({ name: 'lease_expires_at', type: 'timestamptz', nullable: true })
  leaseExpiresAt!: Date | null;

  /** Known from the completion on, so that a user's sign-ins can be erased. */
  @Column({ type: 'varchar', length: 128, nullable: true })
  openid!: string | null;

  /** What the browser gets, sealed to the state; null until the sign-in has completed. */
  @Column({ name: 'sealed_outcome', type: 'text', nullable: true })
  sealedOutcome!: string | null;

  @Column({ name: 'completed_at', type: 'timestamptz', nullable: true })
  completedAt!: Date | null;

  /** From here on the row says nothing and may be deleted. */
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt!: Date;
}
