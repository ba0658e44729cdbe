import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Disk, type LogStorage, nodeDisk, openLogStorage } from '@ringleader/log-storage';
import { seededPrng } from '@ringleader/primitives';
import {
  configurationOf,
  emptyStoredState,
  type Entry,
  entryKinds,
  raftConfig,
  RaftMember,
  type SnapshotChunk,
} from '@ringleader/raft';
import { LogWriter } from './log-writer.js';
import { SnapshotReceiver } from './snapshot-receiver.js';

const configuration = configurationOf([1, 2, 3].map((id) => ({ id, seat: id })));

/** Of a snapshot in two chunks up to `index`, by the leader of `term`. */
function chunk(chunkIndex: 0 | 1, index: number, term = 1): SnapshotChunk {
  return {
    ...{ kind: 'snapshotChunk', from: 2, to: 1, term, chunkIndex, chunkCount: 2 },
    point: { index, term: 1 },
    configuration: chunkIndex === 0 ? configuration : null,
    data: new Uint8Array(100),
  };
}

function append(prevIndex: number, count: number, term: number): Parameters<RaftMember['step']>[0] {
  const entries = Array.from({ length: count }, (_, i): Entry => ({
    index: prevIndex + 1 + i,
    term,
    kind: entryKinds.noop,
    data: new Uint8Array(),
  }));
  const prevTerm = prevIndex === 0 ? 0 : term;
  return { kind: 'append', from: 2, to: 1, term, prevIndex, prevTerm, entries, commit: prevIndex + count };
}

/** Syncs of snapshots wait until they may go on. */
class SlowSyncs {
  release: () => void = () => undefined;
  readonly disk: Disk;
  readonly asked: Promise<void>;
  readonly #released = new Promise<void>((resolve) => {
    this.release = resolve;
  });

  constructor() {
    let ask: () => void = () => undefined;
    this.asked = new Promise((resolve) => {
      ask = resolve;
    });
    const create: Disk['create'] = async (path) => {
      const file = await nodeDisk.create(path);
      if (!path.includes('.snapshot')) return file;
      return {
        write: (bytes, position) => file.write(bytes, position),
        datasync: () => file.datasync(),
        sync: async () => {
          ask();
          await this.#released;
          await file.sync();
        },
        close: () => file.close(),
      };
    };
    this.disk = { ...nodeDisk, create };
  }
}

describe('SnapshotReceiver', () => {
  let directory: string;
  let storage: LogStorage;
  let member: RaftMember;
  let receiver: SnapshotReceiver;
  let writer: LogWriter;

  const begin = async (disk: Disk): Promise<void> => {
    ({ storage } = await openLogStorage({ directory, disk }));
    const config = raftConfig({ id: 1, random: seededPrng(1) });
    member = new RaftMember(config, emptyStoredState(configuration));
    receiver = new SnapshotReceiver(member, storage, (message) => member.step(message));
    writer = new LogWriter(member, storage, receiver);
  };
  const write = async (): Promise<void> => {
    const { persist } = member.takeReady();
    if (persist !== null) await writer.write(persist);
  };
  const partials = async (): Promise<string[]> =>
    (await readdir(directory)).filter((name) => /snapshot.*partial$/.test(name));

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'snapshot-receiver-'));
  });
  afterEach(async () => {
    await receiver.end();
    await storage.close();
    await rm(directory, { recursive: true });
  });

  it('leaves one that is being installed alone when the next leader sends a newer one', async () => {
    const syncs = new SlowSyncs();
    await begin(syncs.disk);
    await receiver.take(chunk(0, 10));
    await receiver.take(chunk(1, 10));
    const installed = write();
    await syncs.asked;
    await receiver.take(chunk(0, 20, 2));
    syncs.release();
    await installed;
    const snapshot = await storage.openNewestSnapshot();
    expect(snapshot).toMatchObject({ index: 10, term: 1 });
    await snapshot?.close();
  });

  it('keeps nothing of one that the log has gone past', async () => {
    await begin(nodeDisk);
    await receiver.take(chunk(0, 10));
    await write();
    expect(await partials()).toHaveLength(1);
    member.step(append(0, 20, 2));
    await write();
    const { committed } = member.takeReady();
    member.applied(committed.at(-1)!.index);
    await receiver.tidy();
    expect(await partials()).toHaveLength(1);
    member.compact(20);
    await receiver.tidy();
    expect(await partials()).toEqual([]);
  });

  it('keeps one of two that came whole from two leaders', async () => {
    await begin(nodeDisk);
    await receiver.take(chunk(0, 10));
    // Its leader had something else to say, so that the core wants the first one again.
    member.step(append(0, 0, 1));
    await receiver.take(chunk(1, 10));
    await receiver.take(chunk(0, 10, 2));
    await receiver.take(chunk(1, 10, 2));
    await write();
    expect(await partials()).toEqual([]);
    expect(member.status().snapshotIndex).toBe(10);
  });
});
