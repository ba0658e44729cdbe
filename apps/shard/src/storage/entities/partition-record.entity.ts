import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The record of a partition as of the last folding; newer ones stand in the record log. */
@Entity('partition_records')
export class PartitionRecordEntity {
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'partition_records_pkey' })
  partition!: number;

  /** `encodeRecords` of this one record. */
  @Column('bytea')
  record!: Buffer;
}
