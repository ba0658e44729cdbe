/** The router over shards in memory, in time that only the test moves: leaders move, frames are lost, time runs out. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { TargetLoads } from '@ringleader/balancer';
import type { FramedRequest } from '@ringleader/contracts';
import type { Condition, ShardReply } from '@ringleader/paxos';
import { seededPrng } from '@ringleader/primitives';
import { KeyValueStore } from '../src/kv/key-value-store.js';
import { DEFAULT_RETRY_TIMINGS, RetryBudget } from '../src/routing/attempts.js';
import { ReplicaPicker } from '../src/routing/replica-picker.js';
import { RequestRouter } from '../src/routing/request-router.js';
import type { Outcome } from '../src/routing/in-flight.js';
import { LeaderTable, RoutingTable } from '../src/routing/routing-table.js';
import { ShardDirectory } from '../src/routing/shard-directory.js';
import { InMemoryShards } from './support/in-memory-shards.js';
import { ManualScheduler } from './support/manual-scheduler.js';

const KEY = 'key';
const TIMEOUT_MS = 5_000;

class Setting {
  readonly time = new ManualScheduler();
  readonly shards = new InMemoryShards(16, [1, 2, 3], this.time.soon);
  readonly leaders = new LeaderTable();
  readonly suspects = new Set<number>();
  readonly router: RequestRouter;
  readonly store: KeyValueStore;
  readonly partition = this.shards.partitionOfKey(KEY);
  private hybrid = Date.now() * 1_024;

  constructor(retriesMax = 100) {
    const prng = seededPrng(1);
    const { time, shards, leaders } = this;
    const loads = new TargetLoads();
    this.router = new RequestRouter({
      frames: shards,
      leaders,
      loads,
      timings: DEFAULT_RETRY_TIMINGS,
      budget: new RetryBudget(retriesMax, 0, 0, 0),
      channelLimits: { queuedRequestsMax: 4, queuedBytesMax: 10_000, stallMs: 8 },
      inFlightMax: 50,
      scheduler: time,
      monotonicMs: time.monotonicMs,
      random: () => prng.nextFloat(),
      mergeClock: (heard) => {
        this.hybrid = Math.max(this.hybrid, heard);
      },
    });
    const directory = new ShardDirectory();
    directory.isSuspect = (shard) => this.suspects.has(shard);
    const replicas = new ReplicaPicker({
      ...{ strategy: 'round-robin', slowStartMs: 0, prng, loads },
      shards: directory,
    });
    const routes = new RoutingTable({ leaders, map: shards, replicas });
    this.store = new KeyValueStore({
      router: this.router,
      map: shards,
      routes,
      repeatsRemembered: 10,
      hybridNow: () => ++this.hybrid,
      monotonicMs: time.monotonicMs,
      scheduler: time,
    });
  }

  announce(): void {
    this.shards.announce(this.leaders, this.time.now);
    this.router.leadersChanged(new Set([this.partition]));
  }

  put(
    value: string,
    conditions: readonly Condition[] = [],
    idempotencyKey: string | null = null,
    timeoutMs = TIMEOUT_MS,
  ): Promise<Outcome> {
    const operation = {
      kind: 'put',
      key: KEY,
      value: Buffer.from(value),
      contentType: 'text/plain',
      expiresAt: null,
      conditions,
    } as const;
    const repeatable = idempotencyKey === null ? null : { idempotencyKey, occurrence: 0 };
    return this.store.write(operation, repeatable, this.time.now + timeoutMs);
  }

  get(maxStalenessMs?: number | null): Promise<Outcome> {
    const consistency =
      maxStalenessMs === undefined
        ? ({ kind: 'linearizable' } as const)
        : ({ kind: 'stale', maxStalenessMs } as const);
    return this.store.read(KEY, consistency, this.time.now + TIMEOUT_MS);
  }

  async outcome(promise: Promise<Outcome>, afterMs = 0): Promise<string> {
    this.time.advance(afterMs);
    const outcome = await promise;
    return outcome.kind === 'failed' ? outcome.code : outcome.reply.kind;
  }

  async value(): Promise<string | null> {
    const reading = this.get();
    this.time.advance(1_000);
    const outcome = await reading;
    if (outcome.kind !== 'answered' || outcome.reply.kind !== 'row') throw new Error('no row');
    const { row } = outcome.reply;
    return row?.value === null || row === null ? null : Buffer.from(row.value).toString();
  }

  get requestsSent(): FramedRequest[] {
    return this.shards.framesSent.flatMap(({ requests }) => requests);
  }
}

let setting: Setting;
beforeEach(() => {
  setting = new Setting();
  setting.announce();
});

describe('a write', () => {
  it('goes to the announced leader, once', async () => {
    expect(await setting.outcome(setting.put('a'))).toBe('written');
    expect(setting.requestsSent).toHaveLength(1);
    expect(await setting.value()).toBe('a');
  });

  it('finds the leader by hints when none has announced itself', async () => {
    const unannounced = new Setting();
    unannounced.shards.moveLeader(unannounced.partition, 2);
    expect(await unannounced.outcome(unannounced.put('a'), 100)).toBe('written');
    const ballots = unannounced.requestsSent.map((request) =>
      request.kind === 'write' ? request.ballot : null,
    );
    expect(ballots[0]).toBe(0);
    expect(ballots.at(-1)).toBe(unannounced.shards.ballot(unannounced.partition));
  });

  it('follows a leader that moved, under the same id and origin', async () => {
    setting.shards.moveLeader(setting.partition, 2);
    expect(await setting.outcome(setting.put('a'), 10)).toBe('written');
    const writes = setting.requestsSent.filter((request) => request.kind === 'write');
    expect(new Set(writes.map(({ requestId }) => requestId)).size).toBe(1);
    expect(new Set(writes.map(({ origin }) => origin)).size).toBe(1);
  });

  it('finds the new leader at once where the old one does not hold the partition any more', async () => {
    const { partition, shards } = setting;
    const old = shards.entries[partition]?.preferredLeader ?? 0;
    const next = old === 2 ? 3 : 2;
    shards.moveLeader(partition, next);
    // It knows nothing of the partition; its announcement is still believed.
    shards.intercept = ({ token }, shard) =>
      shard === old ? { kind: 'notLeader', token, ballot: 0, leader: 0, epoch: 0 } : null;
    const before = setting.time.now;
    expect(await setting.outcome(setting.put('a'), 5)).toBe('written');
    expect(setting.time.now - before).toBeLessThan(20);
    // Nobody asks the old one again.
    const asked = shards.framesSent.length;
    expect(await setting.outcome(setting.put('b'), 5)).toBe('written');
    expect(shards.framesSent.slice(asked).map(({ shard }) => shard)).toEqual([next]);
  });

  it('goes back to a leader that did not hand over after all', async () => {
    const { partition, shards } = setting;
    const leader = shards.entries[partition]?.preferredLeader ?? 0;
    let refusals = 0;
    // As while it hands over: it names itself, at the ballot that it has.
    shards.intercept = ({ token, kind }, shard) =>
      kind === 'write' && shard === leader && refusals++ === 0
        ? { kind: 'notLeader', token, ballot: shards.ballot(partition), leader, epoch: 1 }
        : null;
    expect(await setting.outcome(setting.put('a'), 50)).toBe('written');
    expect(new Set(shards.framesSent.map(({ shard }) => shard))).toEqual(new Set([leader]));
  });

  it('is sent again when its answer is lost, and done once', async () => {
    let lost = 0;
    setting.shards.losesReply = () => lost++ < 2;
    expect(await setting.outcome(setting.put('a'), 4_500)).toBe('written');
    expect(setting.requestsSent).toHaveLength(3);
    expect(await setting.outcome(setting.put('b', [{ kind: 'ifVersion', version: 1 }]), 10)).toBe('written');
  });

  it('does not wait for its time-out when a new leader announces itself', async () => {
    setting.shards.silence(setting.shards.entries[setting.partition]?.preferredLeader ?? 0, true);
    const write = setting.put('a');
    setting.time.advance(100);
    setting.shards.moveLeader(
      setting.partition,
      setting.shards.entries[setting.partition]?.preferredLeader === 2 ? 3 : 2,
    );
    setting.announce();
    expect(await setting.outcome(write, 1)).toBe('written');
    expect(setting.time.now).toBeLessThan(200);
  });

  it('goes to a new leader that announces itself while it waits to be sent to the old one', async () => {
    const old = setting.shards.ballot(setting.partition) % 65_536;
    setting.shards.silence(old, true);
    const first = setting.put('a');
    setting.time.advance(1);
    const second = setting.put('b');
    setting.time.advance(1);
    expect(setting.requestsSent).toHaveLength(1);
    setting.shards.moveLeader(setting.partition, (old % 3) + 1);
    setting.announce();
    expect(await setting.outcome(first, 20)).toBe('written');
    expect(await setting.outcome(second)).toBe('written');
    expect(setting.requestsSent).toHaveLength(3);
  });

  it('asks the next replica soon where whoever may lead is gone', async () => {
    const unannounced = new Setting();
    const { shards, partition } = unannounced;
    const preferred = shards.entries[partition]?.preferredLeader ?? 0;
    shards.silence(preferred, true);
    shards.moveLeader(partition, (preferred % 3) + 1);
    expect(await unannounced.outcome(unannounced.put('a'), 200)).toBe('written');
  });

  it('is known to have done nothing where nobody was known to lead', async () => {
    const unannounced = new Setting();
    unannounced.shards.intercept = () => 'lose';
    expect(await unannounced.outcome(unannounced.put('a'), TIMEOUT_MS)).toBe('UNAVAILABLE');
  });

  it('does not wait for answers that were lost with the transport', async () => {
    setting.shards.intercept = () => 'lose';
    const write = setting.put('a');
    setting.time.advance(10);
    setting.shards.isOpen = false;
    setting.time.advance(200);
    setting.shards.isOpen = true;
    setting.shards.intercept = () => null;
    setting.router.transportRestored();
    expect(await setting.outcome(write, 10)).toBe('written');
  });

  it('sends once more where a shard is back a little later than the gateway', async () => {
    setting.shards.intercept = () => 'lose';
    const write = setting.put('a');
    setting.time.advance(200);
    setting.router.transportRestored();
    setting.time.advance(300);
    setting.shards.intercept = () => null;
    expect(await setting.outcome(write, 60)).toBe('written');
  });

  it('takes the late success of an attempt that was given up', async () => {
    const late: ShardReply[] = [];
    setting.shards.intercept = (request, shard) => {
      if (late.length === 0) late.push(setting.shards.carryOut(request, shard));
      return 'lose';
    };
    const write = setting.put('a');
    setting.time.advance(1_100);
    setting.shards.intercept = ({ token }) => ({ ...(late[0] as ShardReply), token });
    expect(await setting.outcome(write, 3_000)).toBe('written');
  });

  it('is not failed by the answer to an attempt that is not the latest', async () => {
    await setting.outcome(setting.put('other'));
    const held: { reply: ShardReply; shard: number }[] = [];
    setting.shards.intercept = (request, shard) => {
      held.push({ reply: setting.shards.carryOut(request, shard), shard });
      return 'lose';
    };
    const write = setting.put('a', [{ kind: 'ifVersion', version: 2 }]);
    setting.time.advance(20);
    // The first attempt is carried out, but its answer comes only when the second one is under way.
    setting.shards.moveLeader(setting.partition, 2);
    setting.announce();
    setting.time.advance(20);
    const [first, second] = held;
    expect([first?.reply.kind, second?.reply.kind]).toEqual(['conditionFailed', 'conditionFailed']);
    setting.shards.deliver(first?.shard ?? 0, [first?.reply as ShardReply]);
    expect(setting.router.inFlight).toBe(1);
    setting.shards.deliver(second?.shard ?? 0, [second?.reply as ShardReply]);
    expect(await setting.outcome(write)).toBe('conditionFailed');
  });

  it('never goes to a lower ballot than an attempt that may still be carried out', async () => {
    const ballots: number[] = [];
    setting.shards.intercept = (request) => {
      if (request.kind === 'write') ballots.push(request.ballot);
      return 'lose';
    };
    const write = setting.put('a');
    setting.time.advance(500);
    const high = setting.shards.ballot(setting.partition) + 65_536;
    setting.leaders.hint(setting.partition, { shard: 2, ballot: high, epoch: 1 }, setting.time.now);
    setting.time.advance(700);
    expect(ballots.at(-1)).toBe(high);
    // The hint runs out, so that new requests go to the announced leader; this one must not.
    setting.time.advance(3_000);
    expect(ballots.every((ballot, i) => i === 0 || ballot >= (ballots[i - 1] as number))).toBe(true);
    expect(await setting.outcome(write, 2_000)).toBe('OUTCOME_UNKNOWN');
  });

  it.each<[string, (s: Setting) => void, string]>([
    ['nobody answers', (s) => (s.shards.intercept = () => 'lose'), 'OUTCOME_UNKNOWN'],
    [
      'nobody leads',
      (s) =>
        (s.shards.intercept = ({ token }) => ({ kind: 'notLeader', token, ballot: 0, leader: 0, epoch: 1 })),
      'UNAVAILABLE',
    ],
    ['nothing can be sent', (s) => (s.shards.isOpen = false), 'UNAVAILABLE'],
    [
      'the outcome stays unknown',
      (s) => {
        let ballot = 0;
        s.shards.intercept = (request) => {
          ballot += 65_536;
          const higher = (request.kind === 'write' ? request.ballot : 0) + ballot;
          const leadership = { partition: s.partition, epoch: 1, ballot: higher };
          s.leaders.announce(higher % 65_536, leadership, s.time.now);
          return { kind: 'outcomeUnknown', token: request.token };
        };
      },
      'OUTCOME_UNKNOWN',
    ],
  ])('ends at its deadline when %s', async (_name, arrange, expected) => {
    arrange(setting);
    const write = setting.put('a');
    setting.time.advance(TIMEOUT_MS - 20);
    expect(setting.router.inFlight).toBe(1);
    expect(await setting.outcome(write, 40)).toBe(expected);
    expect(setting.router.inFlight).toBe(0);
  });

  it('begins anew when others wrote the key so often that it looks like an old one', async () => {
    let held: FramedRequest | null = null;
    setting.shards.intercept = (request) => {
      if (held !== null) return null;
      held = request;
      return 'lose';
    };
    const write = setting.put('slow');
    setting.time.advance(1);
    for (let i = 0; i < 6; i++) await setting.outcome(setting.put(`fast ${i}`), 20);
    expect(await setting.outcome(write, 4_000)).toBe('OUTCOME_UNKNOWN');
    const denied = setting.put('denied');
    let answers = 0;
    setting.shards.intercept = ({ token }) => (answers++ < 2 ? { kind: 'outcomeUnknown', token } : null);
    expect(await setting.outcome(denied, 1_000)).toBe('written');
    const origins = setting.requestsSent
      .slice(-3)
      .map((request) => (request.kind === 'write' ? request.origin : 0));
    expect(origins[0]).toBe(origins[1]);
    expect(origins[2]).toBeGreaterThan(origins[1] as number);
  });
});

describe('a repeated write', () => {
  it('gets the first answer', async () => {
    const first = setting.put('a', [], 'once');
    setting.time.advance(10);
    const repeat = setting.put('b', [], 'once');
    setting.time.advance(10);
    expect([await setting.outcome(first), await setting.outcome(repeat)]).toEqual(['written', 'written']);
    expect(await setting.value()).toBe('a');
  });

  it('joins the same write under way, also when that is refused', async () => {
    const held: { request: FramedRequest; shard: number }[] = [];
    setting.shards.intercept = (request, shard) => {
      held.push({ request, shard });
      return 'lose';
    };
    const conditions = [{ kind: 'ifPresent' }] as const;
    const first = setting.put('a', conditions, 'once');
    setting.time.advance(10);
    const repeat = setting.put('a', conditions, 'once');
    setting.time.advance(10);
    expect(held).toHaveLength(1);
    for (const { request, shard } of held) {
      setting.shards.deliver(shard, [setting.shards.carryOut(request, shard)]);
    }
    expect([await setting.outcome(first), await setting.outcome(repeat)]).toEqual([
      'conditionFailed',
      'conditionFailed',
    ]);
  });

  it('goes on alone when the time of the first is up, and ends at its own', async () => {
    setting.shards.intercept = () => 'lose';
    const first = setting.put('a', [], 'once', 100);
    const impatient = setting.put('a', [], 'once', 50);
    const patient = setting.put('a', [], 'once', 3_000);
    expect(await setting.outcome(impatient, 60)).toBe('OUTCOME_UNKNOWN');
    setting.shards.intercept = () => null;
    expect(await setting.outcome(first, 60)).toBe('OUTCOME_UNKNOWN');
    expect(await setting.outcome(patient, 1_100)).toBe('written');
    expect(setting.requestsSent).toHaveLength(2);
  });

  it('is not refused because it was before: another gateway may have carried it out since', async () => {
    const conditions = [{ kind: 'ifPresent' }] as const;
    expect(await setting.outcome(setting.put('a', conditions, 'once'), 10)).toBe('conditionFailed');
    setting.shards.intercept = ({ token }) => ({
      kind: 'written',
      token,
      revision: 1,
      version: 1,
      created: true,
      createdAt: 0,
      modifiedAt: 0,
    });
    expect(await setting.outcome(setting.put('a', conditions, 'once'), 10)).toBe('written');
  });

  it('makes no attempt past its deadline, whatever leader announces itself', async () => {
    setting.shards.intercept = () => 'lose';
    const write = setting.put('a', [], 'once', 95);
    setting.time.settle();
    const sent = setting.requestsSent.length;
    setting.time.now += 96;
    const leader = setting.shards.entries[setting.partition]?.preferredLeader ?? 0;
    setting.shards.moveLeader(setting.partition, leader === 2 ? 3 : 2);
    setting.announce();
    expect(await setting.outcome(write, 20)).toBe('OUTCOME_UNKNOWN');
    expect(setting.requestsSent).toHaveLength(sent);
  });

  it('through another gateway gets the first answer from the row', async () => {
    const id = 'once';
    await setting.outcome(setting.put('a', [], id), 10);
    const other = new Setting();
    const [frame] = setting.requestsSent;
    expect(frame?.kind === 'write' && frame.requestId).toMatch(/^key:[\w-]{24}$/);
    other.announce();
    await other.outcome(other.put('a', [], id), 10);
    const [otherFrame] = other.requestsSent;
    expect(otherFrame?.kind === 'write' && otherFrame.requestId).toBe(
      frame?.kind === 'write' && frame.requestId,
    );
  });

  it('that the row has forgotten is not done again', async () => {
    setting.shards.losesReply = (request) => request.kind === 'write' && request.operation.key === KEY;
    expect(await setting.outcome(setting.put('a', [], 'once'), 6_000)).toBe('OUTCOME_UNKNOWN');
    setting.shards.losesReply = () => false;
    for (let i = 0; i < 5; i++) await setting.outcome(setting.put(`later ${i}`), 20);
    expect(await setting.outcome(setting.put('a', [], 'once'), 6_000)).toBe('OUTCOME_UNKNOWN');
    expect(await setting.value()).toBe('later 4');
  });
});

describe('a stale read', () => {
  const servedBy = async (promise: Promise<Outcome>, afterMs = 10): Promise<number | string> => {
    setting.time.advance(afterMs);
    const outcome = await promise;
    return outcome.kind === 'failed' ? outcome.code : outcome.servedBy;
  };

  it('goes round the replicas', async () => {
    const shards = [];
    for (let i = 0; i < 6; i++) shards.push(await servedBy(setting.get(null)));
    expect([...shards].sort()).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it('leaves suspects alone', async () => {
    setting.suspects.add(2);
    const shards = [];
    for (let i = 0; i < 6; i++) shards.push(await servedBy(setting.get(null)));
    expect(shards).not.toContain(2);
  });

  it('asks another replica at once where one does not hold the partition any more', async () => {
    setting.shards.intercept = ({ token }, shard) =>
      shard === 3 ? { kind: 'notLeader', token, ballot: 0, leader: 0, epoch: 0 } : null;
    const before = setting.time.now;
    for (let i = 0; i < 6; i++) expect(await setting.outcome(setting.get(null), 2)).toBe('row');
    expect(setting.time.now - before).toBeLessThan(20);
    expect(setting.shards.framesSent.some(({ shard }) => shard === 3)).toBe(true);
  });

  it('asks the next replica when one is too stale, and the leader last', async () => {
    const leader = setting.shards.entries[setting.partition]?.preferredLeader ?? 0;
    setting.shards.intercept = (request) =>
      request.kind === 'read' && request.consistency.kind === 'stale'
        ? { kind: 'tooStale', token: request.token }
        : null;
    expect(await servedBy(setting.get(50))).toBe(leader);
  });

  it('asks the next replica when one cannot tell how old its answer is, and the leader last', async () => {
    const leader = setting.shards.entries[setting.partition]?.preferredLeader ?? 0;
    setting.shards.intercept = (request) =>
      request.kind === 'read' && request.consistency.kind === 'stale'
        ? { kind: 'row', token: request.token, row: null, stalenessMs: null }
        : null;
    for (let i = 0; i < 3; i++) expect(await servedBy(setting.get(null))).toBe(leader);
  });

  it('soon passes over a replica that does not answer', async () => {
    for (const shard of [1, 2]) setting.shards.silence(shard, true);
    const reads = [setting.get(null), setting.get(null), setting.get(null)];
    setting.time.advance(500);
    for (const read of reads) expect(await servedBy(read, 0)).toBe(3);
  });
});

describe('bounds', () => {
  it('refuses at once what the queue of a shard cannot take', async () => {
    const writes = Array.from({ length: 6 }, () => setting.put('a'));
    setting.time.advance(10);
    const outcomes = await Promise.all(writes.map((write) => setting.outcome(write)));
    expect(outcomes).toEqual(['written', 'written', 'written', 'written', 'OVERLOADED', 'OVERLOADED']);
  });

  it('refuses more than may be under way', async () => {
    setting.shards.isOpen = false;
    const writes = Array.from({ length: 51 }, () => setting.put('a'));
    expect(await setting.outcome(writes[50] as Promise<Outcome>)).toBe('OVERLOADED');
  });

  it('does not retry beyond its budget', async () => {
    const poor = new Setting(1);
    poor.announce();
    poor.shards.intercept = () => 'lose';
    expect(await poor.outcome(poor.put('a'), TIMEOUT_MS + 100)).toBe('OUTCOME_UNKNOWN');
    expect(poor.requestsSent).toHaveLength(2);
    expect(poor.router.counters.retriesDenied).toBeGreaterThan(0);
  });

  it('does not begin what has waited beyond its deadline', async () => {
    setting.shards.intercept = () => 'lose';
    void setting.get();
    setting.time.settle();
    const sent = setting.requestsSent.length;
    const now = setting.time.now;
    const read = setting.store.read(KEY, { kind: 'linearizable' }, now + 2);
    const write = setting.put('a', [], null, 2);
    expect(await setting.outcome(read, 20)).toBe('DEADLINE_EXCEEDED');
    expect(await setting.outcome(write)).toBe('OVERLOADED');
    expect(setting.requestsSent).toHaveLength(sent);
  });

  it.each<['get' | 'put', string]>([
    ['get', 'DEADLINE_EXCEEDED'],
    ['put', 'OVERLOADED'],
  ])('a %s that a shard drops at its deadline is %s', async (kind, expected) => {
    let token = 0;
    let shard = 0;
    setting.shards.intercept = (request, asked) => {
      [token, shard] = [request.token, asked];
      return 'lose';
    };
    const asked = setting.time.now;
    const outcome =
      kind === 'get'
        ? setting.store.read(KEY, { kind: 'linearizable' }, asked + 3)
        : setting.put('a', [], null, 3);
    setting.time.advance(4);
    setting.shards.deliver(shard, [{ kind: 'overloaded', token }]);
    expect(await setting.outcome(outcome)).toBe(expected);
  });

  it('numbers requests apart from those of another life: an answer to that one finds nothing here', async () => {
    const tokenOf = async (one: Setting): Promise<number> => {
      let token = 0;
      one.shards.intercept = (request) => {
        ({ token } = request);
        return null;
      };
      await one.outcome(one.put('a'));
      return token;
    };
    expect(await tokenOf(new Setting())).not.toBe(await tokenOf(new Setting()));
  });

  it('tells the shard how much time is left', async () => {
    setting.shards.losesReply = () => true;
    await setting.outcome(setting.put('a'), TIMEOUT_MS + 100);
    const remaining = setting.requestsSent.map(({ remainingMs }) => remainingMs);
    expect(remaining[0]).toBe(TIMEOUT_MS);
    expect(remaining.every((ms, i) => i === 0 || ms < (remaining[i - 1] as number))).toBe(true);
  });
});

describe('a page of a list', () => {
  const page = (shard: number): Promise<Outcome> => {
    const command = {
      range: { start: '', end: null },
      reverse: false,
      keysOnly: false,
      limitRows: 10,
      limitBytes: 1_000,
    };
    const partitions = [setting.partition];
    return setting.store.scanPage(shard, { ...command, partitions }, setting.time.now + TIMEOUT_MS);
  };

  it('is not waited for once somebody else leads what was asked for: its shard may have ended', async () => {
    const old = setting.shards.ballot(setting.partition) % 65_536;
    setting.shards.silence(old, true);
    const outcome = page(old);
    setting.time.advance(20);
    setting.announce();
    setting.router.leadersChanged(new Set([setting.partition + 1]));
    expect(setting.router.inFlight).toBe(1);
    setting.shards.moveLeader(setting.partition, (old % 3) + 1);
    setting.announce();
    expect(await setting.outcome(outcome)).toBe('UNAVAILABLE');
  });
});

describe('coalescing', () => {
  it('gathers what comes while a frame is under way', async () => {
    const first = setting.put('1');
    setting.time.settle();
    expect(await setting.outcome(first)).toBe('written');
    const together = [setting.put('2'), setting.put('3'), setting.put('4')];
    setting.time.settle();
    expect(setting.shards.framesSent.map(({ requests }) => requests.length)).toEqual([1, 3]);
    await Promise.all(together);
  });

  it('holds nobody up for long behind a frame that is not answered', async () => {
    setting.shards.intercept = () => 'lose';
    void setting.put('lost');
    setting.time.settle();
    setting.shards.intercept = () => null;
    const next = setting.put('next');
    setting.time.advance(5);
    expect(setting.shards.framesSent).toHaveLength(1);
    expect(await setting.outcome(next, 5)).toBe('written');
  });
});
