import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CORRUPT_PREFIX, OperationalError, corruptKey, prefixRange } from '@ringleader/contracts';
import { createLogger } from '@ringleader/observability';
import { encodeCommand } from '@ringleader/mvcc';
import { configurationOf } from '@ringleader/raft';
import { FatalErrors, Health } from '@ringleader/service-host';
import type { Coordination } from '@ringleader/service-host';
import { GroupOfOne } from '../../test/group-of-one.js';
import type { CoordinatorConfig } from '../coordinator.config.js';
import type { RaftGroup, RaftStatus } from '../raft/raft-node.js';
import { keysOf, putMetadata } from '../store/metadata.js';
import { toBytes } from '../store/wire.js';
import { ComparisonService } from './comparison.service.js';
import { CorruptionAlarms } from './corruption-alarms.js';
import { refuseCorrupt } from './corruption-mark.js';
import { StoreGuard } from './store-guard.js';

const SEATS = [1, 2, 3];
const idOf = (seat: number): number => seat * 11;

/** A member of three, whose store is written to by the test. */
class OneOfThree extends GroupOfOne {
  readonly comparison: ComparisonService;
  readonly alarms = new CorruptionAlarms(this, this.store);
  readonly signs = {
    logger: createLogger({ level: 'silent', service: 'coordinator', member: 'c' }),
    health: new Health(),
    fatal: new FatalErrors(),
  };
  readonly guard: StoreGuard;
  isSilent = false;

  constructor(
    private readonly seat: number,
    folder: string,
    private readonly others: () => readonly OneOfThree[],
  ) {
    super();
    this.lead({ term: 1, leader: 1, leading: seat === 1 });
    const askMember = (to: number, _operation: string, { revision }: { revision: number }) => {
      const other = others()[to - 1];
      if (other === undefined || other.isSilent) {
        return Promise.reject(new OperationalError('UNAVAILABLE', 'Nobody is there'));
      }
      return Promise.resolve(other.comparison.own(revision));
    };
    this.comparison = new ComparisonService(this, this.store, { askMember } as unknown as Coordination);
    const config = { RINGLEADER_DATA_DIR: folder } as CoordinatorConfig;
    this.guard = new StoreGuard(this.comparison, this.alarms, config, this.signs);
  }

  override status(): RaftStatus {
    return { ...super.status(), seat: this.seat };
  }

  override group(): RaftGroup {
    const configuration = configurationOf(SEATS.map((seat) => ({ seat, id: idOf(seat) })));
    return { ...super.group(), id: idOf(this.seat), configuration };
  }

  /** What it alone applies. */
  put(value: string, key = 'k'): void {
    const put = { kind: 'put', key, value: toBytes(value), lease: 0, wantsPrevious: false } as const;
    const command = encodeCommand({ kind: 'txn', compare: [], success: [put], failure: [] });
    this.machine.apply({ index: 1, term: 1, command });
  }

  /** What all apply. */
  override propose(command: Uint8Array): ReturnType<GroupOfOne['propose']> {
    for (const other of this.others()) {
      if (other !== this) other.machine.apply({ index: 1, term: 1, command });
    }
    return super.propose(command);
  }

  /** The error that it ends with, or null while it goes on. */
  ending(): Promise<unknown> {
    const going = new Promise((resolve) => setImmediate(resolve, null));
    return Promise.race([this.signs.fatal.first.catch((error: unknown) => error), going]);
  }
}

describe('StoreGuard', () => {
  let folder: string;
  let members: OneOfThree[];
  const member = (seat: number): OneOfThree => members[seat - 1]!;
  const put = (...values: string[]): void => {
    for (const [i, value] of values.entries()) member(i + 1).put(value);
  };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'store-guard-'));
    members = SEATS.map((seat) => new OneOfThree(seat, folder, () => members));
    put('a', 'a', 'a');
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('finds nothing where all have the same', async () => {
    await member(1).guard.look();
    expect(member(1).guard.last).toMatchObject({ consistent: true, revision: 1 });
    expect(member(1).signs.health.readiness()).toEqual([]);
    await expect(refuseCorrupt(folder)).resolves.toBeUndefined();
  });

  it('ends the member that differs from the majority, and keeps it from starting again', async () => {
    put('b', 'c', 'b');
    const details = { seat: 2, revision: 2, hash: member(2).store.local.presentHash };
    const expected = member(1).store.local.presentHash;
    await member(2).guard.look();
    expect(await member(2).ending()).toMatchObject({
      code: 'STORE_CORRUPT',
      details: { ...details, expected },
    });
    expect(member(2).signs.health.readiness()).toEqual([
      'the stores of the coordinators differ at revision 2: this one is corrupt',
    ]);
    expect(member(2).alarms.list()).toMatchObject([{ id: '22', name: 'coordinator-2', expected }]);
    await expect(refuseCorrupt(folder)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('ends also a leader beside a record that it cannot read', async () => {
    for (const one of members) one.put('{"by": "a newer version"}', corruptKey('9'));
    put('c', 'b', 'b');
    await member(1).guard.look();
    expect(await member(1).ending()).toMatchObject({ code: 'STORE_CORRUPT' });
    expect(member(2).alarms.list()).toMatchObject([{ name: 'coordinator-1' }]);
  });

  it('starts no member of which nobody can tell whether it is marked', async () => {
    const mark = join(folder, 'store-corrupt.json');
    await writeFile(mark, '');
    await expect(refuseCorrupt(folder)).rejects.toMatchObject({
      code: 'LOG_CORRUPT',
      details: { file: mark },
    });
    await expect(refuseCorrupt(mark)).rejects.toMatchObject({
      code: 'STORAGE_FAILED',
      details: { code: 'ENOTDIR' },
    });
  });

  it('is told of by the others, who go on', async () => {
    put('b', 'c', 'b');
    await member(1).guard.look();
    expect(await member(1).ending()).toBeNull();
    expect(member(1).signs.health.readiness()).toEqual([]);
    expect(member(1).alarms.has('22')).toBe(true);
    // Found a second time, it is no news.
    const { revision } = member(1).store.local;
    await member(1).guard.look();
    expect(member(1).store.local.revision).toBe(revision);
  });

  it('ends a leader as well, and one at a revision that the others never reached', async () => {
    put('b');
    await member(1).guard.look();
    expect(await member(1).ending()).toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('tells both hashes where the one that is ahead differs before that, too', async () => {
    put('b', 'c', 'b');
    const [expected, hash] = [1, 2].map((seat) => member(seat).store.local.presentHash);
    member(2).put('d');
    await member(2).guard.look();
    expect(await member(2).ending()).toMatchObject({ details: { seat: 2, revision: 2, hash, expected } });
  });

  it('holds nothing against a newcomer that has applied nothing yet', async () => {
    members[2] = new OneOfThree(3, folder, () => members);
    await member(3).guard.look();
    expect(member(3).guard.last).toMatchObject({ consistent: true, revision: 0 });
    expect(await member(3).ending()).toBeNull();
    await expect(refuseCorrupt(folder)).resolves.toBeUndefined();
  });

  it('ends nobody where no majority agrees', async () => {
    put('b', 'c');
    member(3).isSilent = true;
    for (const seat of [1, 2]) {
      await member(seat).guard.look();
      expect(await member(seat).ending()).toBeNull();
      expect(member(seat).signs.health.readiness()).toEqual([
        'the stores of the coordinators differ at revision 2, and no majority agrees',
      ]);
      expect(member(seat).alarms.list()).toEqual([]);
    }
  });

  it('forgets who is no member any more, also where it cannot read what was found', async () => {
    const alarm = { id: '4711', name: 'coordinator-2', revision: 1, hash: null, expected: 'a' };
    await member(1).alarms.raise(alarm);
    const unreadable = { of: 'another version' };
    await member(1).store.propose({
      ...{ kind: 'txn', compare: [], failure: [] },
      success: [putMetadata(corruptKey('4712'), unreadable), putMetadata(corruptKey('11'), unreadable)],
    });
    member(2).isSilent = true;
    member(3).isSilent = true;
    await member(1).guard.look();
    expect(keysOf(member(1).store.local, prefixRange(CORRUPT_PREFIX))).toEqual([corruptKey('11')]);
  });

  it('knows of all alarms but of one that it cannot read', async () => {
    const alarm = { id: '22', name: 'coordinator-2', revision: 1, hash: null, expected: 'a' };
    await member(1).alarms.raise(alarm);
    await member(1).store.propose({
      ...{ kind: 'txn', compare: [], failure: [] },
      success: [putMetadata(corruptKey('11'), { of: 'another version' })],
    });
    for (const seat of SEATS) expect(member(seat).alarms.list()).toEqual([alarm]);
  });
});
