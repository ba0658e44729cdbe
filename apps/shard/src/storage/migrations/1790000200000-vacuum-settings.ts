import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Per table, so that they hold on whatever server; each is explained in docs/OPERATIONS.md, "Dead rows". */
const SETTINGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  rows: {
    autovacuum_vacuum_scale_factor: '0.05',
    autovacuum_vacuum_threshold: '5000',
    autovacuum_vacuum_cost_limit: '1000',
    autovacuum_analyze_scale_factor: '0.5',
  },
  record_log: {
    autovacuum_vacuum_scale_factor: '0',
    autovacuum_vacuum_threshold: '4096',
    autovacuum_vacuum_cost_delay: '0',
    autovacuum_analyze_threshold: '2000000000',
  },
  partition_records: {
    autovacuum_vacuum_scale_factor: '0',
    autovacuum_vacuum_threshold: '4096',
    autovacuum_vacuum_cost_delay: '0',
    autovacuum_analyze_threshold: '2000000000',
  },
};

export class VacuumSettings1790000200000 implements MigrationInterface {
  readonly name = 'VacuumSettings1790000200000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const [table, settings] of Object.entries(SETTINGS)) {
      const list = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
      await queryRunner.query(`ALTER TABLE ${table} SET (${list.join(', ')})`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const [table, settings] of Object.entries(SETTINGS)) {
      await queryRunner.query(`ALTER TABLE ${table} RESET (${Object.keys(settings).join(', ')})`);
    }
  }
}
