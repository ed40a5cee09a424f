import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How an account stands at WeChat, as all instances together have seen it. */
@Entity({ name: 'wechat_account_state' })
export class WechatAccountState {
  @PrimaryColumn({
    name: 'app_id',
    type: 'varchar',
    length: 32,
    primaryKeyConstraintName: 'wechat_account_state_pkey',
  })
  appId!: string;

  /** Since when no refresh is sent, because WeChat says that something about the account is wrong; null: it is well. */
  @Column({ name: 'stopped_at', type: 'timestamptz', nullable: true })
  stoppedAt!: Date | null;

  @Column({ name: 'stopped_by_errcode', type: 'integer', nullable: true })
  stoppedByErrcode!: number | null;

  /** When one refresh is sent all the same, to see whether it has been mended. */
  @Column({ name: 'probe_at', type: 'timestamptz', nullable: true })
  probeAt!: Date | null;

  /** Refreshes are counted in windows of five minutes, from this instant. */
  @Column({ name: 'window_started_at', type: 'timestamptz' })
  windowStartedAt!: Date;

  @Column({ name: 'window_refreshes', type: 'integer' })
  windowRefreshes!: number;

  /** How many of them WeChat answered by rejecting the pair. */
  @Column({ name: 'window_rejections', type: 'integer' })
  windowRejections!: number;

  /** Since when no grant is marked, because more were rejected than can be true. */
  @Column({ name: 'marking_stopped_at', type: 'timestamptz', nullable: true })
  markingStoppedAt!: Date | null;
}
