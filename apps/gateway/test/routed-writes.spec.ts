/** Writes by the router: leaders move, frames are lost, time runs out. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { FramedRequest } from '@ringleader/contracts';
import type { ShardReply } from '@ringleader/paxos';
import { KEY, TIMEOUT_MS, RouterSetting } from './support/router-setting.js';

let setting: RouterSetting;
beforeEach(() => {
  setting = new RouterSetting();
  setting.announce();
});

describe('a write', () => {
  it('goes to the announced leader, once', async () => {
    expect(await setting.outcome(setting.put('a'))).toBe('written');
    expect(setting.requestsSent).toHaveLength(1);
    expect(await setting.value()).toBe('a');
  });

  it('finds the leader by hints when none has announced itself', async () => {
    const unannounced = new RouterSetting();
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

  it('leaves its key to all other gateways, however far ahead the clock of its own is', async () => {
    const { time, shards } = setting;
    const ahead = new RouterSetting(100, time, { shards, clockAheadMs: 3_600_000 });
    ahead.announce();
    expect(await ahead.value()).toBeNull();
    expect(await ahead.outcome(ahead.put('a'))).toBe('written');
    const other = new RouterSetting(100, time, { shards });
    other.announce();
    for (const value of ['b', 'c', 'd', 'e', 'f', 'g'])
      expect(await other.outcome(other.put(value), TIMEOUT_MS)).toBe('written');
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
    const unannounced = new RouterSetting();
    const { shards, partition } = unannounced;
    const preferred = shards.entries[partition]?.preferredLeader ?? 0;
    shards.silence(preferred, true);
    shards.moveLeader(partition, (preferred % 3) + 1);
    expect(await unannounced.outcome(unannounced.put('a'), 200)).toBe('written');
  });

  it('is known to have done nothing where nobody was known to lead', async () => {
    const unannounced = new RouterSetting();
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

  it('sends all of them again, however many there are', async () => {
    const poor = new RouterSetting(1);
    poor.announce();
    poor.shards.intercept = () => 'lose';
    const writes = ['a', 'b', 'c'].map((value) => poor.put(value));
    poor.time.advance(20);
    poor.shards.intercept = () => null;
    poor.router.transportRestored();
    poor.time.advance(TIMEOUT_MS);
    const outcomes = await Promise.all(writes.map((write) => poor.outcome(write)));
    expect(outcomes).toEqual(['written', 'written', 'written']);
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

  it.each<[string, (s: RouterSetting) => void, string]>([
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

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Nothing here holds what it is to write. */
function joinedWrite(
  idempotencyKey: string,
  timeoutMs: number,
): { readonly operation: WeakRef<object>; readonly outcome: Promise<string> } {
  const value = Buffer.from('a');
  const put = { kind: 'put', key: KEY, value, contentType: 'text/plain', expiresAt: null } as const;
  const operation = { ...put, conditions: [] };
  const deadline = setting.time.now + timeoutMs;
  const outcome = setting.store.write(operation, { idempotencyKey, occurrence: 0 }, deadline);
  return { operation: new WeakRef(operation), outcome: setting.outcome(outcome) };
}

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

  it('is let go of once it is told, whatever time it had left', async () => {
    const first = setting.put('a', [], 'once');
    const joined = joinedWrite('once', 60_000);
    expect(await setting.outcome(first, 10)).toBe('written');
    expect(await joined.outcome).toBe('written');
    await new Promise(setImmediate);
    collect();
    expect(joined.operation.deref()).toBeUndefined();
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
    const other = new RouterSetting();
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
