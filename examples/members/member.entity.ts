import { Column, Entity, PrimaryGeneratedColumn, Unique } from 'typeorm';

/** A row of the application's own users table. App id and openid together say who somebody is at WeChat. */
@Entity('member')
@Unique('member_app_id_openid_key', ['appId', 'openid'])
export class Member {
  @PrimaryGeneratedColumn('identity', { primaryKeyConstraintName: 'member_pkey' })
  id!: number;

  @Column('varchar', { name: 'app_id', length: 32 })
  appId!: string;

  @Column('varchar', { length: 128 })
  openid!: string;

  @Column('integer', { default: 0 })
  points!: number;

  @Column('boolean', { name: 'is_welcomed', default: false })
  isWelcomed!: boolean;

  @Column('boolean', { name: 'is_blocked', default: false })
  isBlocked!: boolean;
}
