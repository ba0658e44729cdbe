import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  batch,
  entry,
  readSnapshot,
  segmentSizeBytes,
  snapshot,
  terms,
  testLog,
} from '../test/log.fixtures.js';
import type { LogStorage } from './log-storage.js';
import type { ReceivedSnapshot } from './snapshot-files.js';
import type { LogSnapshot } from './types.js';

const log = testLog();

/** As another member sends it: its chunks in any order. */
async function received(storage: LogStorage, sent: LogSnapshot): Promise<ReceivedSnapshot> {
  const writer = storage.receiveSnapshot(sent);
  const chunks = [...sent.chunks].map((chunk, number) => ({ chunk, number }));
  for (const { chunk, number } of chunks.reverse()) {
    expect(await storage.addChunk(writer, number, chunk)).toBe('written');
  }
  return { writer, configuration: sent.configuration };
}

describe('the log', () => {
  it('is empty at first', async () => {
    expect(await log.recover()).toEqual({
      identity: null,
      wantsIdentity: false,
      hardState: { term: 0, vote: 0, commit: 0 },
      snapshot: { index: 0, term: 0 },
      entries: [],
      repairs: [],
    });
  });

  it('gives back what was written, byte for byte', async () => {
    const { storage } = await log.open();
    const large = { index: 3, term: 2 ** 40, kind: 0, data: new Uint8Array(3 * segmentSizeBytes).fill(7) };
    await storage.append({
      ...batch([entry(1, 1), entry(2, 1)]),
      hardState: { term: 2 ** 40, vote: 5, commit: 1 },
    });
    await storage.append({ ...batch([large]), hardState: { term: 2 ** 40, vote: 3, commit: 2 } });
    await log.close(storage);
    const recovered = await log.recover();
    expect(recovered.hardState).toEqual({ term: 2 ** 40, vote: 3, commit: 2 });
    expect(recovered.entries).toEqual([entry(1, 1), entry(2, 1), large]);
  });

  it('goes on after a restart, over many segments', async () => {
    for (let round = 0; round < 3; round++) {
      const { storage } = await log.open();
      for (let i = 1; i <= 20; i++) await storage.append(batch([entry(round * 20 + i, 1, 'y'.repeat(300))]));
      await log.close(storage);
    }
    expect(log.segments().length).toBeGreaterThan(4);
    expect(terms(await log.recover())).toEqual(Array.from({ length: 60 }, (_, i) => [i + 1, 1]));
  });

  it('replaces a conflicting suffix', async () => {
    const { storage } = await log.open();
    await storage.append(batch([entry(1, 1), entry(2, 1), entry(3, 1)]));
    await storage.append(batch([entry(2, 2)]));
    await log.close(storage);
    expect(terms(await log.recover())).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  it('keeps what follows a snapshot, and deletes segments and snapshots that are covered', async () => {
    const { storage } = await log.open();
    for (let i = 1; i <= 60; i++) await storage.append(batch([entry(i, 1, 'z'.repeat(300))]));
    await storage.saveSnapshot(snapshot(20, 1));
    await storage.saveSnapshot(snapshot(50, 1));
    const before = log.segments().length;
    await storage.compact(50);
    expect(log.segments().length).toBeLessThan(before);
    expect(readdirSync(log.directory).filter((name) => name.endsWith('.snapshot'))).toHaveLength(1);
    expect(await readSnapshot(storage)).toEqual(snapshot(50, 1));
    await log.close(storage);
    const recovered = await log.recover();
    expect(recovered.snapshot).toEqual({ index: 50, term: 1 });
    expect(terms(recovered)).toEqual(Array.from({ length: 10 }, (_, i) => [i + 51, 1]));
  });

  it('starts anew behind a snapshot from another member', async () => {
    const { storage } = await log.open();
    await storage.append(batch([entry(1, 1), entry(2, 1), entry(3, 1)]));
    await storage.append({ ...batch([]), snapshot: await received(storage, snapshot(10, 3)) });
    expect(await readSnapshot(storage)).toEqual(snapshot(10, 3));
    await storage.append(batch([entry(11, 3)]));
    await storage.compact(10);
    await log.close(storage);
    const recovered = await log.recover();
    expect(recovered.snapshot).toEqual({ index: 10, term: 3 });
    expect(terms(recovered)).toEqual([[11, 3]]);
  });

  it('drops a log which a snapshot replaces, if the crash came between the two', async () => {
    const { storage } = await log.open();
    await storage.append(batch([entry(1, 1), entry(2, 1), entry(3, 1)]));
    // Of another history: here, entry 2 is of term 1.
    await storage.saveSnapshot(snapshot(2, 2));
    await log.close(storage);
    const recovered = await log.recover();
    expect(recovered.snapshot).toEqual({ index: 2, term: 2 });
    expect(recovered.entries).toEqual([]);
  });

  /** The snapshot 2/1 with the chunks [1, 2], [] and [3], as earlier versions wrote it. */
  it.each([
    [
      1,
      '52494e47534e4150010000000200000000000000010000000000000003000000020000000102000000000100000003cacd7f01',
      new Uint8Array(),
    ],
    [
      2,
      '52494e47534e415002000000020000000000000001000000000000000300000003000000070809020000000102000000000100000003372aae31',
      new Uint8Array([7, 8, 9]),
    ],
  ])('reads a snapshot of version %i', async (_version, written, configuration) => {
    const { storage } = await log.open();
    await storage.append(batch([entry(1, 1), entry(2, 1)]));
    await storage.saveSnapshot(snapshot(2, 1));
    await log.close(storage);
    writeFileSync(join(log.directory, '0000000000000002-1.snapshot'), Buffer.from(written, 'hex'));
    const { storage: second } = await log.open();
    expect(await readSnapshot(second)).toEqual({ ...snapshot(2, 1), configuration });
  });

  it('forgets a snapshot that was not finished', async () => {
    const { storage } = await log.open();
    await storage.append(batch([entry(1, 1)]));
    await log.close(storage);
    writeFileSync(join(log.directory, '0000000000000001-1.snapshot.partial'), 'half');
    expect((await log.recover()).snapshot.index).toBe(0);
    expect(readdirSync(log.directory).filter((name) => name.includes('snapshot'))).toEqual([]);
  });
});
