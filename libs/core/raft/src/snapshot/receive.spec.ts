import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { raftConfig } from '../config.js';
import { configurationOf } from '../membership/configuration.js';
import type { SnapshotChunk } from '../messages.js';
import { emptyStoredState, RaftMember } from '../raft-member.js';

const configuration = configurationOf([1, 2, 3].map((id) => ({ id, seat: id })));
type Chunk = Pick<SnapshotChunk, 'from' | 'term' | 'point' | 'chunkIndex' | 'chunkCount'>;
const first: Chunk = { from: 2, term: 3, point: { index: 9, term: 2 }, chunkIndex: 0, chunkCount: 2 };
const second: Chunk = { ...first, chunkIndex: 1 };

/** Gives it these chunks, of which each says by one byte which it was; returns those of the snapshot that it writes then. */
function receive(...chunks: readonly Chunk[]): readonly unknown[] | undefined {
  const member = new RaftMember(
    raftConfig({ id: 1, random: seededPrng(1) }),
    emptyStoredState(configuration),
  );
  chunks.forEach((chunk, i) => {
    const carried = chunk.chunkIndex === 0 ? configuration : null;
    member.step({ ...chunk, kind: 'snapshotChunk', to: 1, configuration: carried, data: Uint8Array.of(i) });
  });
  return member.takeReady().persist?.snapshot?.chunks;
}

describe('chunks of a snapshot', () => {
  it('make it up, in any order', () => {
    expect(receive(first, second)).toEqual([Uint8Array.of(0), Uint8Array.of(1)]);
    expect(receive(second, first)).toEqual([Uint8Array.of(1), Uint8Array.of(0)]);
  });

  it.each<[string, Partial<Chunk>]>([
    ['another leader', { from: 3, term: 4 }],
    ['the same leader in another term', { term: 4 }],
    ['another index', { point: { index: 10, term: 2 } }],
    ['another term of the last entry', { point: { index: 9, term: 3 } }],
    ['another number of them', { chunkCount: 3 }],
  ])('never mix with those of %s', (_, other) => {
    expect(receive(first, { ...second, ...other })).toBeUndefined();
    const whole = [
      { ...first, ...other },
      { ...second, ...other },
    ];
    if (other.chunkCount === undefined) {
      expect(receive(first, ...whole)).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
    }
  });
});
