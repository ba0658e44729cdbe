/** Whose memory of keyed writes began anew is told what others remember (docs/PROTOCOL.md 4.7.6). */
import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS } from '@ringleader/primitives';
import { answer, P, put, started as fresh, write } from '../../test/cluster-client.js';
import type { PaxosEvent } from '../ready.js';
import { LIMITS, type MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';

const WINDOW_MS = TIMINGS.repeatWindowMs + TIMINGS.clocksDifferMs;
const ROW_REMEMBERS = 4;

/** Known to each other for longer than keyed writes are remembered. */
function started(): MemoryCluster {
  const cluster = fresh({ ...LIMITS, repairRowsMax: 20 });
  cluster.run(2 * WINDOW_MS);
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

  constructor(private readonly cluster: MemoryCluster) {
    cluster.loses = (from, { to, message }) =>
      from === this.cutOff ||
      to === this.cutOff ||
      (this.memories && message.kind === 'remembered') ||
      (from === 3 && message.kind === 'prepare');
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
      cluster.kill(2);
      cluster.start(2);
      cluster.run(4 * TIMINGS.leaseMs);
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
});
