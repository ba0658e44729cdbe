import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ArchiveReader } from '@ringleader/log-storage';
import { SnapshotReader, encodeCommand } from '@ringleader/mvcc';
import { GroupOfOne, ManualClock } from '../../test/group-of-one.js';
import type { CoordinatorConfig } from '../coordinator.config.js';
import { toBytes } from '../store/wire.js';
import { SnapshotSessions, partsOf } from './snapshot-sessions.js';

describe('SnapshotSessions', () => {
  let group: GroupOfOne;
  let sessions: SnapshotSessions;
  const put = (key: string, value: string): void => {
    const one = { kind: 'put', key, value: toBytes(value), lease: 0, wantsPrevious: false } as const;
    const command = encodeCommand({ kind: 'txn', compare: [], success: [one], failure: [] });
    group.machine.apply({ index: 1, term: 1, command });
  };

  beforeEach(() => {
    group = new GroupOfOne();
    const config = { RINGLEADER_CLUSTER: 'test', RINGLEADER_COORDINATOR_ID: 2 } as CoordinatorConfig;
    sessions = new SnapshotSessions(group.store, config, new ManualClock());
    for (let i = 0; i < 20; i++) put(`k/${i}`, 'x'.repeat(100_000));
  });
  afterEach(() => sessions.onApplicationShutdown());

  it('give the store as it was, part by part, while it goes on', () => {
    const { revision } = group.store.local;
    const hash = group.store.local.presentHash;
    const opened = sessions.open();
    expect(opened.revision).toBe(revision);
    const content = new SnapshotReader();
    const archive = new ArchiveReader((piece) => content.push(piece));
    let parts = 0;
    for (let isLast = false; !isLast; parts += 1) {
      const part = sessions.read(opened.snapshot, parts);
      // An answer that was lost is asked for again.
      expect(sessions.read(opened.snapshot, parts)).toBe(part);
      expect(part.bytes.byteLength).toBeLessThan(2_000_000);
      archive.push(part.bytes);
      ({ isLast } = part);
      put('k/3', `later ${parts}`);
    }
    expect(parts).toBeGreaterThan(2);
    expect(archive.finish()).toMatchObject({ cluster: 'test', member: 'coordinator-2', revision, hash });
    expect(content.finish().presentHash).toBe(hash);
    expect(() => sessions.read(opened.snapshot, parts)).toThrow('no such part');
  });

  it('are few, and refuse what was not opened, or is out of order', () => {
    const { snapshot } = sessions.open();
    for (let i = 1; i < 4; i++) sessions.open();
    expect(() => sessions.open()).toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    for (const part of [1, 5]) expect(() => sessions.read(snapshot, part)).toThrow('begin anew');
    expect(() => sessions.read('another', 0)).toThrow('begin anew');
    // One that nobody wants any more makes room.
    sessions.close(snapshot);
    sessions.close('another');
    expect(() => sessions.read(snapshot, 0)).toThrow('begin anew');
    expect(sessions.open().snapshot).not.toBe(snapshot);
  });

  it('put small pieces together, and end with a part that says so', () => {
    const sizes = [4, 300_000, 300_000, 700_000, 5];
    const parts = [...partsOf(sizes.map((size) => new Uint8Array(size)))];
    expect(parts.map(({ bytes, isLast }) => [bytes.byteLength, isLast])).toEqual([
      [300_004, false],
      [300_000, false],
      [700_000, false],
      [5, true],
    ]);
  });
});
