import { Column, Entity, PrimaryColumn } from 'typeorm';

/** Work that one instance does for all: who has it, and until when nobody else takes it. */
@Entity({ name: 'wechat_lease' })
export class WechatLease {
  @PrimaryColumn({ type: 'varchar', length: 32, primaryKeyConstraintName: 'wechat_lease_pkey' })
  name!: string;

  @Column({ name: 'holder_id', type: 'uuid' })
  holderId!: string;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt!: Date;
}
