import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { assignment, P } from '../../test/cluster-client.js';
import { LIMITS, TIMINGS } from '../../test/memory-cluster.js';
import { makeBallot, PaxosShard, type Accepts, type Row } from '../index.js';

const BALLOT = makeBallot(1, 1);

function rowAt(revision: number): Row {
  const times = { createdAt: 1, modifiedAt: 1, expiresAt: null, requestFloor: 0 };
  const value = new Uint8Array();
  return { key: 'k', value, contentType: '', revision, version: 1, requests: [], ...times };
}

function accept(number: number, from: number, to: number): Accepts {
  const previous = { ballot: from === 0 ? 0 : BALLOT, revision: from };
  const next = { ballot: BALLOT, revision: to };
  const batch = { partition: P, epoch: 1, ballot: BALLOT, previous, next, rows: [rowAt(to)], commit: 0 };
  return { kind: 'accepts', incarnation: 1, number, lease: { sentAt: 1 }, batches: [batch] };
}

/** A follower whose first transaction runs, while it has gathered a batch and then missed one. */
function followerWithGap(): PaxosShard {
  const shard = new PaxosShard({
    ordinal: 3,
    incarnation: 1,
    timings: TIMINGS,
    limits: LIMITS,
    records: [],
    stamp: () => 1,
    prng: seededPrng(1),
    startedAt: 0,
  });
  shard.learnMap([assignment()], 1);
  expect(shard.takeReady().transaction?.id).toBe(1);
  shard.receive(1, accept(1, 0, 4), 2);
  shard.receive(1, accept(2, 7, 8), 3);
  return shard;
}

describe('Gap', () => {
  it('leaves when what it states is durable', () => {
    const shard = followerWithGap();
    expect(shard.takeReady().messages.map(({ message }) => message.kind)).not.toContain('gap');
    shard.transactionDurable(1, 4);
    expect(shard.takeReady().transaction?.id).toBe(2);
    shard.transactionDurable(2, 5);
    const gap = shard.takeReady().messages.find(({ message }) => message.kind === 'gap');
    expect(gap?.message).toMatchObject({ position: { ballot: BALLOT, revision: 4 } });
  });

  it('states nothing that is gathered only: the leader would count it, and a crash forgets it', () => {
    const shard = followerWithGap();
    shard.transactionDurable(1, 4);
    expect(shard.takeReady().transaction?.id).toBe(2);
    shard.receive(1, accept(3, 4, 7), 5);
    expect(shard.status()[0]?.position.revision).toBe(7);
    shard.transactionDurable(2, 6);
    const gap = shard.takeReady().messages.find(({ message }) => message.kind === 'gap');
    expect(gap?.message).toMatchObject({ position: { ballot: BALLOT, revision: 4 } });
  });

  it('states no position that the same transaction took back: the leader would count it', () => {
    const shard = followerWithGap();
    shard.learnMap([assignment({ epoch: 2, replicas: [1, 2] })], 4);
    shard.transactionDurable(1, 4);
    expect(shard.takeReady().transaction?.records).toMatchObject([{ position: { ballot: 0, revision: 0 } }]);
    shard.transactionDurable(2, 5);
    const told = shard.takeReady().messages.map(({ message }) => message);
    expect(told.map(({ kind }) => kind)).not.toContain('gap');
    expect(told.filter(({ kind }) => kind === 'acceptsSeen')).toMatchObject([{ number: 1, except: [0] }]);
  });
});
