import type { MigrationInterface, QueryRunner } from 'typeorm';

export class InitialSchema1790000000000 implements MigrationInterface {
  readonly name = 'InitialSchema1790000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    // Fixed-width columns first: no padding. Room on each page keeps updates heap-only, as no indexed column changes.
    await queryRunner.query(`
      CREATE TABLE rows (
        revision bigint NOT NULL,
        version bigint NOT NULL,
        created_at bigint NOT NULL,
        modified_at bigint NOT NULL,
        request_floor bigint NOT NULL,
        expires_at bigint,
        generation bigint NOT NULL,
        partition smallint NOT NULL,
        key bytea NOT NULL,
        content_type bytea NOT NULL,
        requests bytea NOT NULL,
        value bytea,
        CONSTRAINT rows_pkey PRIMARY KEY (partition, generation, key)
      ) WITH (fillfactor = 85)`);
    await queryRunner.query(`
      CREATE TABLE partition_records (
        partition smallint NOT NULL,
        record bytea NOT NULL,
        CONSTRAINT partition_records_pkey PRIMARY KEY (partition)
      ) WITH (fillfactor = 50)`);
    await queryRunner.query(`
      CREATE TABLE record_log (
        id bigint NOT NULL,
        records bytea NOT NULL,
        CONSTRAINT record_log_pkey PRIMARY KEY (id)
      )`);
    await queryRunner.query(`
      CREATE TABLE shard_identity (
        singleton boolean NOT NULL DEFAULT true,
        incarnation bigint NOT NULL DEFAULT 0,
        shard_id text,
        ordinal integer,
        CONSTRAINT shard_identity_pkey PRIMARY KEY (singleton),
        CONSTRAINT shard_identity_one_row CHECK (singleton)
      )`);
    await queryRunner.query('INSERT INTO shard_identity DEFAULT VALUES');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE rows, partition_records, record_log, shard_identity');
  }
}
