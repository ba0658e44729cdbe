import { describe, expect, it } from '@jest/globals';
import { OperationalError } from '@ringleader/contracts';
import { InvariantError } from '@ringleader/primitives';
import pg from 'pg';
import { translatePostgresError } from './postgres-error.js';

function databaseError(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError('something', 9, 'error');
  error.code = code;
  return error;
}

describe('translatePostgresError', () => {
  it.each([
    ['53100', 'diskFull'],
    ['57P01', 'stopping'],
    ['57P03', 'stopping'],
    ['08006', 'connection'],
    ['28P01', 'refused'],
    ['53300', 'refused'],
    ['40001', 'other'],
    ['58030', 'unreadable'],
    ['XX001', 'damaged'],
    ['42P01', 'damaged'],
    ['42P07', 'damaged'],
    ['58P01', 'damaged'],
  ])('names the reason of %s: %s', (sqlState, reason) => {
    const cause = databaseError(sqlState);
    const error = translatePostgresError(cause, 'commit') as OperationalError;
    expect(error).toBeInstanceOf(OperationalError);
    expect(error).toMatchObject({
      code: 'STORAGE_FAILED',
      details: { action: 'commit', reason, sqlState },
      cause,
    });
  });

  it('takes no file that is missing at the start of a session for damage', () => {
    const error = translatePostgresError(databaseError('58P01'), 'connect');
    expect(error).toMatchObject({ details: { reason: 'other' } });
  });

  it('takes an error without a state for a lost connection, also inside of TypeORM', () => {
    const cause = { driverError: new Error('read ECONNRESET') };
    expect(translatePostgresError(cause, 'x')).toMatchObject({ details: { reason: 'connection' } });
    expect(translatePostgresError({ driverError: databaseError('53100') }, 'x')).toMatchObject({
      details: { reason: 'diskFull' },
    });
  });

  it('takes a statement that PostgreSQL does not understand for our bug', () => {
    for (const sqlState of ['42601', '22021', '23505']) {
      expect(translatePostgresError(databaseError(sqlState), 'x')).toBeInstanceOf(InvariantError);
    }
    expect(translatePostgresError(databaseError('42501'), 'x')).toBeInstanceOf(OperationalError);
  });

  it('leaves our own errors as they are', () => {
    const error = new OperationalError('DURABILITY_OFF', 'fsync is off');
    expect(translatePostgresError(error, 'x')).toBe(error);
  });
});
