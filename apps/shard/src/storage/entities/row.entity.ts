import { Column, Entity, PrimaryColumn } from 'typeorm';

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
