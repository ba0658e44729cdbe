import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type LogStorage, openLogStorage } from '@ringleader/log-storage';
import type { RaftMember, SnapshotChunk } from '@ringleader/raft';
import { SnapshotReceiver } from './snapshot-receiver.js';

/** What of a snapshot is not under its name yet: there, or open. */
const isPartial = (name: string): boolean => name.includes('.snapshot') && name.includes('.partial');

describe('snapshots that are received', () => {
  let directory: string;
  let storage: LogStorage;
  let receiver: SnapshotReceiver;
  /** What the core says of itself: what has come and is installed is its decision. */
  let status: Pick<ReturnType<RaftMember['status']>, 'commitIndex' | 'term' | 'isDiskFull' | 'snapshotIndex'>;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'snapshot-receiver-'));
    ({ storage } = await openLogStorage({ directory }));
    status = { commitIndex: 0, term: 1, isDiskFull: false, snapshotIndex: 0 };
    const member = { status: () => status } as unknown as RaftMember;
    receiver = new SnapshotReceiver(member, storage, () => undefined);
  });
  afterEach(async () => {
    await receiver.end();
    await storage.close();
    rmSync(directory, { recursive: true });
  });

  const chunk = (from: number, index: number, [chunkIndex, chunkCount]: [number, number]): SnapshotChunk => ({
    ...{ kind: 'snapshotChunk', from, to: 9, term: from, point: { index, term: 1 }, configuration: null },
    ...{ chunkIndex, chunkCount, data: new Uint8Array(1_000) },
  });
  const partials = (): string[] => readdirSync(directory).filter(isPartial);
  const open = (): string[] => {
    const links = readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/self/fd/${fd}`)];
      } catch {
        // Of the listing itself.
        return [];
      }
    });
    return links.filter((path) => path.startsWith(directory) && isPartial(path));
  };
  const install = async (index: number): Promise<void> => {
    status = { ...status, commitIndex: index, snapshotIndex: index };
    const point = { index, term: 1 };
    const snapshot = { writer: receiver.claim(point), configuration: new Uint8Array() };
    const hardState = { term: 1, vote: 0, commit: index };
    expect(await storage.append({ hardState, entries: [], snapshot })).toBe('written');
    await receiver.tidy();
  };

  it('leave nothing open, and nothing on the disk, that a newer one has taken the place of', async () => {
    await receiver.take(chunk(1, 10, [0, 2]));
    await receiver.take(chunk(2, 20, [0, 1]));
    expect(partials()).toHaveLength(1);
    // By then nobody has asked for the one that was whole.
    await receiver.take(chunk(3, 30, [0, 2]));
    await receiver.take(chunk(3, 30, [1, 2]));
    await install(30);
    expect([open(), partials()]).toEqual([[], []]);
  });

  it('nor where another leader’s is of the same point', async () => {
    await receiver.take(chunk(1, 10, [0, 1]));
    await receiver.take(chunk(2, 10, [0, 1]));
    await install(10);
    expect([open(), partials()]).toEqual([[], []]);
  });

  it('nor where the log has come further by itself', async () => {
    await receiver.take(chunk(1, 10, [0, 1]));
    status = { ...status, commitIndex: 20, snapshotIndex: 20 };
    await receiver.take(chunk(2, 30, [0, 2]));
    expect(partials()).toEqual([expect.stringMatching(/^0*30-/)]);
    expect(open()).toHaveLength(1);
  });

  it('are finished, whatever another leader sends meanwhile', async () => {
    await receiver.take(chunk(1, 10, [0, 1]));
    status = { ...status, commitIndex: 10, snapshotIndex: 10 };
    const snapshot = { writer: receiver.claim({ index: 10, term: 1 }), configuration: new Uint8Array() };
    await receiver.take(chunk(2, 20, [0, 2]));
    const hardState = { term: 1, vote: 0, commit: 10 };
    expect(await storage.append({ hardState, entries: [], snapshot })).toBe('written');
    const stored = await storage.openNewestSnapshot();
    expect(await Promise.all(stored!.chunks.map((one) => one.read()))).toEqual([Buffer.alloc(1_000)]);
    await stored!.close();
  });
});
