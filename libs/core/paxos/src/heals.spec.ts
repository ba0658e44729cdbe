/** Wrong things said once, each within what may be said, and then nothing but the truth (docs/PROTOCOL.md 4.12.6). */
import { describe, expect, it } from '@jest/globals';
import { assignment, converged, P, put, write } from '../test/cluster-client.js';
import { LIMITS, MemoryCluster, TIMINGS } from '../test/memory-cluster.js';
import { makeBallot, ownerOf, roundOf } from './ballot.js';
import { RULES, type PartitionStatus, type PaxosRules, type ShardMessage } from './index.js';

/** Without a preferred leader in reach: nobody hands over, so that only what heals changes anything. */
function led(rules: Partial<PaxosRules> = {}): { cluster: MemoryCluster; leader: number; others: number[] } {
  const cluster = new MemoryCluster([1, 2, 3], LIMITS, TIMINGS, { ...RULES, ...rules });
  cluster.learn([assignment()]);
  cluster.until(() => cluster.leaderOf(P) !== 0);
  for (const key of ['a', 'b', 'c']) write(cluster, key, 'v');
  cluster.run(1_000);
  const leader = cluster.leaderOf(P);
  return { cluster, leader, others: [1, 2, 3].filter((shard) => shard !== leader) };
}

function statusOf(cluster: MemoryCluster, shard: number): PartitionStatus {
  const status = cluster.shard(shard).status()[0];
  if (status === undefined) throw new Error('no replica');
  return status;
}

function say(cluster: MemoryCluster, from: number, to: number, message: ShardMessage): void {
  cluster.shard(to).receive(from, message, cluster.now);
}

/** A barrier at a ballot of the speaker, which does not stand at it. */
function barrier(cluster: MemoryCluster, from: number, to: number, above: number): ShardMessage {
  const { position, commit } = statusOf(cluster, to);
  const ballot = makeBallot(roundOf(position.ballot) + above, from);
  const next = { ballot, revision: position.revision };
  const batch = { partition: P, epoch: 1, ballot, previous: position, next, rows: [], commit };
  return { kind: 'accepts', incarnation: 1, number: 2 ** 40, lease: { sentAt: 0 }, batches: [batch] };
}

const isLed = (cluster: MemoryCluster, other: Partial<PartitionStatus>): boolean =>
  [1, 2, 3].every((shard) => statusOf(cluster, shard).leader === cluster.leaderOf(P)) &&
  cluster.leaderOf(P) !== 0 &&
  statusOf(cluster, cluster.leaderOf(P)).leased === true &&
  Object.entries(other).every(([name, value]) =>
    [1, 2, 3].every((shard) => statusOf(cluster, shard)[name as keyof PartitionStatus] === value),
  );

describe('a replica that believes', () => {
  it('that it needs a copy, and is at its leader’s position, gives the copy up', () => {
    const { cluster, leader, others } = led();
    const [follower = 0] = others;
    const header = { partition: P, epoch: 1, ballot: cluster.ballotOf(P), commit: 0, purgedTo: 0 };
    say(cluster, leader, follower, { kind: 'repairOffer', ...header });
    say(cluster, leader, follower, { kind: 'copyRequired', ...header });
    cluster.loses = (from) => from === follower;
    cluster.step();
    cluster.until(() => statusOf(cluster, follower).copying);
    cluster.run(2_000);
    cluster.loses = () => false;
    cluster.until(() => isLed(cluster, { copying: false }), 5_000);
    expect(cluster.storage(follower).liveRows(P).size).toBe(3);
  });

  it('in a leader that is none, and protects it, hears so from that one', () => {
    const { cluster, leader, others } = led();
    const [one = 0, two = 0] = others;
    say(cluster, two, one, barrier(cluster, two, one, 3));
    say(cluster, one, two, barrier(cluster, one, two, 2));
    cluster.until(() => isLed(cluster, {}), 10_000);
    expect(ownerOf(cluster.ballotOf(P))).toBe(cluster.leaderOf(P));
    expect(write(cluster, 'd', 'v').kind).toBe('written');
    expect(leader).toBeGreaterThan(0);
  });

  it('all three in a circle, too', () => {
    const { cluster, leader, others } = led();
    const [one = 0, two = 0] = others;
    say(cluster, two, one, barrier(cluster, two, one, 3));
    say(cluster, leader, two, barrier(cluster, leader, two, 4));
    say(cluster, one, leader, barrier(cluster, one, leader, 5));
    cluster.until(() => isLed(cluster, {}), 10_000);
    expect(write(cluster, 'd', 'v').kind).toBe('written');
  });

  it('that a ballot which was released still serves, is told again', () => {
    const { cluster, leader, others } = led();
    const [one = 0] = others;
    const ballot = cluster.ballotOf(P);
    cluster.loses = (_from, { message }) => message.kind === 'released' || message.kind === 'stand';
    for (const other of others)
      say(cluster, other, leader, {
        kind: 'superseded',
        partition: P,
        epoch: 1,
        ballot,
        promised: ballot + 65_536,
      });
    for (const by of others)
      say(cluster, by, leader, { kind: 'releaseSeen', partition: P, epoch: 1, ballot });
    cluster.step();
    expect(statusOf(cluster, leader).role).toBe('follower');
    expect(statusOf(cluster, one).leader).toBe(leader);
    cluster.run(5);
    // It does not stand again itself, which would end the belief too.
    cluster.loses = (from, { message }) => from === leader && message.kind === 'prepare';
    cluster.until(() => isLed(cluster, {}), 10_000);
    expect(others).toContain(cluster.leaderOf(P));
  });
});

describe('a shard that was restarted', () => {
  it('says nothing of the ballots of its former life: that may run on for a lease', () => {
    const { cluster, leader, others } = led();
    const [one = 0] = others;
    const { ballot, position } = statusOf(cluster, leader);
    cluster.kill(leader);
    cluster.start(leader);
    const released: number[] = [];
    cluster.loses = (from, { message }) => {
      if (from === leader && message.kind === 'released') released.push(message.ballot);
      return false;
    };
    const state = { position, commit: position.revision, purgedTo: 0 };
    say(cluster, one, leader, { kind: 'promised', partition: P, epoch: 1, ballot, ...state });
    cluster.run(10);
    expect(released).toEqual([]);
  });
});

describe('a leader that believes', () => {
  it('that a replica has what it has not, takes its word for the contrary in the end', () => {
    const { cluster, leader, others } = led();
    const [one = 0] = others;
    cluster.loses = (from, { to, message }) => to === one && from === leader && message.kind === 'accepts';
    const epoch = 1;
    const ballot = cluster.ballotOf(P);
    put(cluster, 'd', 'v');
    cluster.run(20);
    const lease = { incarnation: 1, span: 1, sentAt: cluster.now };
    say(cluster, one, leader, { kind: 'accepted', partition: P, epoch, ballot, revision: 1_000, lease });
    cluster.run(20);
    cluster.loses = () => false;
    cluster.until(() => converged(cluster, [1, 2, 3]), 10_000);
  });

  it('that it told a commit point which the other never heard, tells it again', () => {
    const { cluster, leader, others } = led();
    const [one = 0] = others;
    const commit = statusOf(cluster, one).commit + 1;
    // Said and heard, by number: neither side misses anything.
    cluster.changesMessage = (from, message) =>
      from === leader && message.kind === 'commitPoints' ? { ...message, points: [] } : message;
    put(cluster, 'd', 'v');
    cluster.run(400);
    expect(statusOf(cluster, leader).commit).toBe(commit);
    expect(statusOf(cluster, one).commit).toBe(commit - 1);
    cluster.changesMessage = (_from, message) => message;
    cluster.until(() => statusOf(cluster, one).commit === commit, 10_000);
  });
});
