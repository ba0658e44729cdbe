/** The router's reads, and its bounds. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Outcome } from '../src/routing/in-flight.js';
import { KEY, TIMEOUT_MS, RouterSetting } from './support/router-setting.js';

let setting: RouterSetting;
beforeEach(() => {
  setting = new RouterSetting();
  setting.announce();
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
    const poor = new RouterSetting(1);
    poor.announce();
    poor.shards.intercept = () => 'lose';
    expect(await poor.outcome(poor.put('a'), TIMEOUT_MS + 100)).toBe('OUTCOME_UNKNOWN');
    expect(poor.requestsSent).toHaveLength(2);
    expect(poor.router.counters.retriesDenied).toBeGreaterThan(0);
  });

  it('asks again, whatever the budget, where an answer said that the next one tells', async () => {
    const poor = new RouterSetting(0);
    poor.announce();
    // As of a key that others wrote so often that nobody remembers this request.
    poor.shards.intercept = ({ token }) => ({ kind: 'outcomeUnknown', token });
    const writes = Array.from({ length: 4 }, (_, index) => poor.put('a', [], `key-${index}`));
    const outcomes = writes.map((write) => poor.outcome(write, TIMEOUT_MS / 10));
    expect(await Promise.all(outcomes)).toEqual(Array(4).fill('OUTCOME_UNKNOWN'));
    expect(poor.requestsSent).toHaveLength(8);
    expect(poor.router.counters.retriesDenied).toBe(0);
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
    const tokenOf = async (one: RouterSetting): Promise<number> => {
      let token = 0;
      one.shards.intercept = (request) => {
        ({ token } = request);
        return null;
      };
      await one.outcome(one.put('a'));
      return token;
    };
    expect(await tokenOf(new RouterSetting())).not.toBe(await tokenOf(new RouterSetting()));
  });

  it('tells the shard how much time is left', async () => {
    setting.shards.losesReply = () => true;
    await setting.outcome(setting.put('a'), TIMEOUT_MS + 100);
    const remaining = setting.requestsSent.map(({ remainingMs }) => remainingMs);
    expect(remaining[0]).toBe(TIMEOUT_MS);
    expect(remaining.every((ms, i) => i === 0 || ms < (remaining[i - 1] as number))).toBe(true);
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
