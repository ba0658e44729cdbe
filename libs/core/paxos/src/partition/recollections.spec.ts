/** Whose memory of keyed writes began anew is told what others remember (docs/PROTOCOL.md 4.7.6). */
import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS } from '@ringleader/primitives';
import { answer, assignment, P, put, write } from '../../test/cluster-client.js';
import type { ShardMessage } from '../messages.js';
import type { PaxosEvent } from '../ready.js';
import { LIMITS, MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';

const ROW_REMEMBERS = 4;

/** Known to each other for longer than keyed writes are remembered. */
function started(timings = TIMINGS): MemoryCluster {
  const cluster = new MemoryCluster([1, 2, 3], { ...LIMITS, repairRowsMax: 20 }, timings);
  cluster.learn([assignment()]);
  cluster.until(() => cluster.leaderOf(P) === 1);
  cluster.run(2 * (timings.repeatWindowMs + timings.clocksDifferMs));
  return cluster;
}

interface Repeated {
  readonly first: string;
  readonly repeat: () => string;
}

/** A keyed write that its row has forgotten since. */
function writeKeyed(cluster: MemoryCluster): Repeated {
  const keyed = { requestId: 'key:1', origin: cluster.now * HYBRID_UNITS_PER_MS };
  const once = (): string => {
    const reply = answer(cluster, put(cluster, 'k', 'keyed', keyed));
    return reply.kind === 'written' ? `revision ${reply.revision}` : reply.kind;
  };
  const first = once();
  for (let n = 0; n < ROW_REMEMBERS; n += 1) write(cluster, 'k', `${n}`);
  return { first, repeat: once };
}

/** What the network loses. */
class Losses {
  cutOff = 0;
  memories = false;
  /** What the leader 1 told replica 2 first, though it was lost. */
  lost: ShardMessage | null = null;

  constructor(private readonly cluster: MemoryCluster) {
    cluster.loses = (from, { to, message }) => {
      if (this.memories && message.kind === 'remembered') {
        if (from === 1 && to === 2) this.lost ??= message;
        return true;
      }
      return from === this.cutOff || to === this.cutOff || (from === 3 && message.kind === 'prepare');
    };
  }

  /** Replica 2 misses so many rows: more than its leader keeps to send again. */
  behindBy(rows: number): void {
    this.cutOff = 2;
    for (let n = 0; n < rows; n += 1) write(this.cluster, `other ${n}`, 'v'.repeat(40_000));
    this.cluster.run(2 * TIMINGS.leaseMs);
    this.cutOff = 0;
  }
}

const happened = (cluster: MemoryCluster, kind: PaxosEvent['kind']): boolean =>
  cluster.events.some(({ event }) => event.kind === kind);

const hasAll = (cluster: MemoryCluster): boolean =>
  cluster.storage(2).records.get(P)?.position.revision ===
  cluster.storage(1).records.get(P)?.position.revision;

const told = ({ lost }: Losses): ShardMessage => {
  if (lost === null) throw new Error('nothing was told');
  return lost;
};

/** And is heard again: its leader would tell it what it remembers. */
function restart(cluster: MemoryCluster, ordinal: number): void {
  cluster.kill(ordinal);
  cluster.start(ordinal);
  cluster.run(4 * TIMINGS.leaseMs);
}

/** How replica 2 comes to have a memory that began a moment ago, while 1 leads. */
const beginsAnew: readonly [how: string, make: (cluster: MemoryCluster, losses: Losses) => void][] = [
  [
    'repaired',
    (cluster, losses) => {
      losses.behindBy(10);
      cluster.until(() => happened(cluster, 'repaired'));
    },
  ],
  [
    'copied to',
    (cluster, losses) => {
      losses.behindBy(30);
      cluster.until(() => happened(cluster, 'copyFinished'));
    },
  ],
  [
    'a candidate that is behind',
    (_cluster, losses) => {
      losses.behindBy(10);
    },
  ],
  [
    'started again, while others write',
    (cluster) => {
      cluster.kill(2);
      cluster.start(2);
      cluster.run(2 * TIMINGS.heartbeatIntervalMs);
      write(cluster, 'other', '');
      cluster.until(() => hasAll(cluster));
    },
  ],
  [
    'started again, while nobody writes',
    (cluster) => {
      restart(cluster, 2);
    },
  ],
];

/** What a repeat of the keyed write is answered when replica 2 has taken over from 1. */
function repeatAtTheNext(make: (typeof beginsAnew)[number][1], memoriesAreLost: boolean): readonly string[] {
  const cluster = started();
  const losses = new Losses(cluster);
  losses.memories = memoriesAreLost;
  const { first, repeat } = writeKeyed(cluster);
  make(cluster, losses);
  cluster.run(5);
  cluster.kill(1);
  cluster.until(() => cluster.leaderOf(P) === 2);
  cluster.run(5);
  return [first, repeat()];
}

describe('a replica whose memory of keyed writes began anew', () => {
  it.each(beginsAnew)('is told what another remembers: %s', (_how, make) => {
    const [first, again] = repeatAtTheNext(make, false);
    expect(again).toBe(first);
  });

  it.each(beginsAnew)('says that it cannot tell where that was lost: %s', (_how, make) => {
    expect(repeatAtTheNext(make, true)[1]).toBe('outcomeUnknown');
  });

  it('is told by a leader that ends', () => {
    const cluster = started();
    const losses = new Losses(cluster);
    losses.memories = true;
    const { first, repeat } = writeKeyed(cluster);
    restart(cluster, 2);
    losses.memories = false;
    cluster.shard(1).leave(cluster.now);
    cluster.until(() => cluster.leaderOf(P) === 2);
    expect(repeat()).toBe(first);
  });

  it('is told by a leader that has no more time', () => {
    const cluster = started({ ...TIMINGS, repeatWindowMs: 20_000 });
    const losses = new Losses(cluster);
    losses.memories = true;
    const { first, repeat } = writeKeyed(cluster);
    cluster.kill(3);
    cluster.run(2 * TIMINGS.leaseMs);
    cluster.kill(2);
    cluster.start(2);
    cluster.run(2 * TIMINGS.heartbeatIntervalMs);
    losses.memories = false;
    cluster.shard(1).releaseAll(cluster.now);
    cluster.until(() => cluster.leaderOf(P) === 2);
    expect(repeat()).toBe(first);
  });

  it('is told by a leader that passes on to it, as the preferred one', () => {
    const cluster = started({ ...TIMINGS, repeatWindowMs: 20_000 });
    const losses = new Losses(cluster);
    losses.memories = true;
    const { first, repeat } = writeKeyed(cluster);
    cluster.kill(1);
    cluster.until(() => cluster.leaderOf(P) === 2);
    cluster.start(1);
    cluster.run(TIMINGS.leaseMs);
    write(cluster, 'other', '');
    losses.memories = false;
    expect(cluster.leaderOf(P)).toBe(2);
    cluster.until(() => cluster.leaderOf(P) === 1);
    expect(repeat()).toBe(first);
  });

  it('is told again by a leader that has been told more itself', () => {
    const cluster = started({ ...TIMINGS, repeatWindowMs: 20_000 });
    const losses = new Losses(cluster);
    losses.memories = true;
    const { first, repeat } = writeKeyed(cluster);
    restart(cluster, 2);
    restart(cluster, 3);
    losses.lost = null;
    cluster.shard(1).leave(cluster.now);
    cluster.until(() => cluster.leaderOf(P) === 2);
    cluster.kill(1);
    losses.memories = false;
    write(cluster, 'other', '');
    expect(repeat()).toBe('outcomeUnknown');
    cluster.shard(2).receive(1, told(losses), cluster.now);
    expect(repeat()).toBe(first);
    write(cluster, 'other', '');
    cluster.start(1);
    cluster.loses = (from, { message }) => from === 1 && message.kind !== 'promised';
    cluster.run(TIMINGS.leaseMs);
    cluster.kill(2);
    cluster.until(() => cluster.leaderOf(P) === 3);
    expect(repeat()).toBe(first);
  });
});

/** As its leader's former words belong to a history that it has only the end of. */
describe('what was told late', () => {
  it.each<[string, (cluster: MemoryCluster, losses: Losses) => void]>([
    [
      'repaired',
      (cluster, losses) => {
        losses.behindBy(10);
        cluster.until(() => happened(cluster, 'repaired'));
      },
    ],
    [
      'started again, while others write',
      (cluster) => {
        restart(cluster, 2);
        write(cluster, 'other', '');
        cluster.until(() => hasAll(cluster));
      },
    ],
  ])('does not count where writes passed since that the replica has not seen: %s', (_how, make) => {
    const cluster = started({ ...TIMINGS, repeatWindowMs: 20_000 });
    const losses = new Losses(cluster);
    losses.memories = true;
    restart(cluster, 2);
    const { repeat } = writeKeyed(cluster);
    cluster.run(20);
    make(cluster, losses);
    cluster.shard(2).receive(1, told(losses), cluster.now);
    cluster.kill(1);
    cluster.until(() => cluster.leaderOf(P) === 2);
    expect(repeat()).toBe('outcomeUnknown');
  });
});
