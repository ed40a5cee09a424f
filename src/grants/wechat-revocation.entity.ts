import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** `session`: one session, by its id. `user`: all sessions of a user, by a digest, since the user may be forgotten. */
export type RevocationKind = 'session' | 'user';

/** Sessions that are over before their time: somebody has signed out, or was forgotten. */
@Entity({ name: 'wechat_revocation' })
@Index('wechat_revocation_revoked_at_idx', ['revokedAt', 'subject'])
@Index('wechat_revocation_expires_at_idx', ['expiresAt'])
export class WechatRevocation {
  @PrimaryColumn({ type: 'varchar', length: 16, primaryKeyConstraintName: 'wechat_revocation_pkey' })
  kind!: RevocationKind;

  @PrimaryColumn({ type: 'varchar', length: 64, primaryKeyConstraintName: 'wechat_revocation_pkey' })
  subject!: string;

  /** Sessions that were issued at this instant or before are over. */
  @Column({ name: 'revoked_at', type: 'timestamptz' })
  revokedAt!: Date;

  /** From here on they would have ended by themselves, and the row may be deleted. */
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt!: Date;
}
