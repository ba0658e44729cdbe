import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One entry per transaction: all records that it changed. Folded into `partition_records` now and then. */
@Entity('record_log')
export class RecordLogEntity {
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'record_log_pkey' })
  id!: string;

  @Column('bytea')
  records!: Buffer;
}
