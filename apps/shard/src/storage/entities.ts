/** The tables, for TypeORM: migrations are made from them. */
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

/** The record of a partition as of the last folding; newer ones stand in the record log. */
@Entity('partition_records')
export class PartitionRecordEntity {
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'partition_records_pkey' })
  partition!: number;

  /** `encodeRecords` of this one record. */
  @Column('bytea')
  record!: Buffer;
}

/** One entry per transaction: all records that it changed. Folded into `partition_records` now and then. */
@Entity('record_log')
export class RecordLogEntity {
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'record_log_pkey' })
  id!: string;

  @Column('bytea')
  records!: Buffer;
}

/** One key of one generation of one partition. Written in batches by `RowWriter`, never through the ORM. */
@Entity('rows')
export class RowEntity {
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'rows_pkey' })
  partition!: number;

  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'rows_pkey' })
  generation!: string;

  /** UTF-8: its byte order is the order of keys everywhere. */
  @PrimaryColumn('bytea', { primaryKeyConstraintName: 'rows_pkey' })
  key!: Buffer;

  /** Null is a tombstone. */
  @Column('bytea', { nullable: true })
  value!: Buffer | null;

  /** UTF-8. Not of type text, which cannot hold every string. */
  @Column('bytea', { name: 'content_type' })
  contentType!: Buffer;

  @Column('bigint')
  revision!: string;

  @Column('bigint')
  version!: string;

  @Column('bigint', { name: 'created_at' })
  createdAt!: string;

  @Column('bigint', { name: 'modified_at' })
  modifiedAt!: string;

  @Column('bigint', { name: 'expires_at', nullable: true })
  expiresAt!: string | null;

  /** The last requests that wrote the key, in the binary form of the data path. */
  @Column('bytea')
  requests!: Buffer;

  @Column('bigint', { name: 'request_floor' })
  requestFloor!: string;
}
