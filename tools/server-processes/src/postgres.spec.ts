import { describe, expect, it } from '@jest/globals';
import { postgresSettings } from '@ringleader/contracts';
import { roomOf } from './postgres.js';

const GIB = 2 ** 30;
/** What libuv says where no limit is set. */
const UNLIMITED = 2 ** 64;

describe('the room of a local PostgreSQL', () => {
  it.each([
    ['a large machine', 256 * GIB, UNLIMITED, '256MB'],
    ['a machine of 8 GiB whose system knows no limits', 8 * GIB, 0, '128MB'],
    ['a container of 4 GiB on a large machine', 256 * GIB, 4 * GIB, '64MB'],
    ['a small machine', GIB, UNLIMITED, '64MB'],
  ])('on %s', (_machine, total, constrained, sharedBuffers) => {
    const settings = postgresSettings(roomOf(total, constrained));
    expect(settings['shared_buffers']).toBe(sharedBuffers);
    expect(settings['max_wal_size']).toBe('1024MB');
  });
});
