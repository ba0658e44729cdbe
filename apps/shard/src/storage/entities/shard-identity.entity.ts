import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** One row: whose database this is, and the incarnation that fences its transactions. */
@Entity('shard_identity')
@Check('shard_identity_one_row', 'singleton')
export class ShardIdentityEntity {
  /** Always true: there is one row. */
  @PrimaryColumn('boolean', { primaryKeyConstraintName: 'shard_identity_pkey', default: true })
  singleton!: boolean;

  /** 0 before the first start. */
  @Column('bigint', { default: 0 })
  incarnation!: string;

  @Column('text', { name: 'shard_id', nullable: true })
  shardId!: string | null;

  @Column('integer', { nullable: true })
  ordinal!: number | null;
}
