import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Large values are mostly compressed already, and the server would try again with each write, in the one connection that
 * all writes wait for. Moves no rows: it holds for what is written from then on.
 */
export class ValuesUncompressed1790000100000 implements MigrationInterface {
  readonly name = 'ValuesUncompressed1790000100000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE rows ALTER COLUMN value SET STORAGE EXTERNAL');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE rows ALTER COLUMN value SET STORAGE EXTENDED');
  }
}
