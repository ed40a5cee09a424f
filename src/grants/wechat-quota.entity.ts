import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How much of WeChat's calls a minute an account has used, on all instances together. */
@Entity({ name: 'wechat_quota' })
export class WechatQuota {
  @PrimaryColumn({
    name: 'app_id',
    type: 'varchar',
    length: 32,
    primaryKeyConstraintName: 'wechat_quota_pkey',
  })
  appId!: string;

  @PrimaryColumn({ type: 'varchar', length: 16, primaryKeyConstraintName: 'wechat_quota_pkey' })
  endpoint!: string;

  /** The minute that is counted: its first instant. */
  @Column({ type: 'timestamptz' })
  minute!: Date;

  @Column({ type: 'integer' })
  calls!: number;
}
