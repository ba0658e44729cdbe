import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { assignment, P } from '../test/cluster-client.js';
import { LIMITS, TIMINGS } from '../test/memory-cluster.js';
import { makeBallot, PaxosShard, type PartitionRecord, type PaxosEvent, type ShardMessage } from './index.js';
import { ENTRIES_MAX } from './partition/keyed-requests.js';
import { FLOOR_STEP_MAX_MS, LEAP_REMEMBERED_MS, ROUND_LEAP_MAX } from './plausible.js';
import { LEAP_PERSISTS_MS } from './rules/accept-rules.js';

const NOW = 10_000;
const header = { partition: P, epoch: 1, ballot: makeBallot(2, 2) };
const echo = { incarnation: 1, span: 1, sentAt: NOW };
const zero = { ballot: 0, revision: 0 };
/** By more than any clock is wrong. */
const AHEAD = (NOW + 86_400_001) * 1_024;
const mark = { id: 'key:a', origin: NOW * 1_024, revision: 5, version: 1 };
const remembered = { kind: 'remembered', ...header, revision: 5, floor: 0, marks: [mark] } as const;

const EMPTY: PartitionRecord = {
  partition: P,
  epoch: 1,
  promised: 0,
  position: zero,
  commitBound: 0,
  purgedTo: 0,
  dedupeFloor: 0,
  generation: 1,
  staging: null,
};

/** Replica 1 of 1, 2, 3, which has promised round 1 to shard 2. */
function follower(known: Partial<PartitionRecord> = {}): PaxosShard {
  const shard = new PaxosShard({
    ordinal: 1,
    incarnation: 1,
    timings: TIMINGS,
    limits: LIMITS,
    records: [{ ...EMPTY, ...known }],
    stamp: () => NOW * 1_024,
    prng: seededPrng(1),
    startedAt: 0,
  });
  shard.learnMap([assignment()], NOW);
  settle(shard);
  shard.receive(2, { kind: 'prepare', ...header, ballot: makeBallot(1, 2) }, NOW);
  settle(shard);
  expect(promisedBy(shard)).toBe(makeBallot(1, 2));
  return shard;
}

function settle(shard: PaxosShard): PaxosEvent[] {
  const events: PaxosEvent[] = [];
  for (let ready = shard.takeReady(); ; ready = shard.takeReady()) {
    events.push(...ready.events);
    if (ready.transaction === null) return events;
    shard.transactionDurable(ready.transaction.id, NOW);
  }
}

const promisedBy = (shard: PaxosShard): number | undefined => shard.status()[0]?.promised;

function refusals(from: number, ...messages: ShardMessage[]): string[] {
  const shard = follower();
  for (const message of messages) shard.receive(from, message, NOW);
  return settle(shard).flatMap((event) => (event.kind === 'implausible' ? [event.what] : []));
}

describe('what no honest shard says', () => {
  const wrong: ShardMessage[] = [
    { kind: 'heartbeat', incarnation: 2 ** 40, lease: { sentAt: 1 } },
    { kind: 'heartbeatSeen', holder: 1, lease: { ...echo, sentAt: NOW + 1 }, pointsHeard: 0 },
    { kind: 'heartbeatSeen', holder: 1, lease: { ...echo, sentAt: NOW - 0.5 }, pointsHeard: 0 },
    { kind: 'acceptsSeen', holder: 1, number: 1, lease: { ...echo, sentAt: NOW - 0.5 }, except: [] },
    { kind: 'confirmed', ...header, round: 1, lease: { ...echo, sentAt: 2 ** 50 } },
    { kind: 'prepareRefused', ...header, promised: 0, retryInMs: 1e300 },
    { ...remembered, floor: AHEAD },
    { ...remembered, marks: [{ ...mark, revision: 6 }] },
    { ...remembered, marks: [{ ...mark, origin: AHEAD }] },
    { ...remembered, marks: [{ ...mark, id: 'not keyed' }] },
    {
      ...remembered,
      marks: Array.from({ length: ENTRIES_MAX + 1 }, (_, i) => ({ ...mark, id: `key:${i}` })),
    },
    { kind: 'prepare', ...header, ballot: makeBallot(2, 3) },
    { kind: 'released', ...header, ballot: makeBallot(2, 3) },
    { kind: 'gap', ...header, position: zero, commit: 5, purgedTo: 6 },
    {
      kind: 'delta',
      ...header,
      from: zero,
      to: { ballot: header.ballot, revision: 5 },
      rows: [],
      absent: [],
      purgedTo: 6,
      dedupeFloor: 0,
      commit: 5,
    },
    {
      kind: 'page',
      ...header,
      copyId: 1,
      pass: 1,
      start: '',
      nextKey: null,
      rows: [],
      absent: [],
      commit: 0,
      purgedTo: 0,
      dedupeFloor: 2 ** 52,
    },
    { kind: 'commitPoints', incarnation: 1, after: 7, upTo: 6, points: [], stamp: null },
    {
      kind: 'commitPoints',
      incarnation: 1,
      after: 0,
      upTo: 1,
      points: [],
      stamp: { echo: NOW + 5, echoIncarnation: 1 },
    },
    {
      kind: 'commitPoints',
      incarnation: 1,
      after: 0,
      upTo: 1,
      points: [],
      stamp: { echo: NOW - 0.5, echoIncarnation: 1 },
    },
    {
      kind: 'accepts',
      incarnation: 1,
      number: 1,
      lease: { sentAt: 1 },
      batches: [
        { ...header, previous: zero, next: { ballot: header.ballot, revision: 4 }, rows: [], commit: 0 },
      ],
    },
  ];

  it.each(wrong.map((message) => [message.kind, message] as const))('%s is refused', (kind, message) => {
    expect(refusals(2, message)).toEqual([kind]);
  });

  it('remembered by a shard that has no replica is refused, by another not', () => {
    expect(refusals(4, remembered)).toEqual(['remembered']);
    expect(refusals(2, remembered)).toEqual([]);
  });

  it('remembered by whose clock is ahead by more than clocks may differ is not refused', () => {
    const origin = (NOW + 20 * TIMINGS.clocksDifferMs) * 1_024;
    expect(refusals(2, { ...remembered, floor: origin, marks: [{ ...mark, origin }] })).toEqual([]);
  });

  it('superseded by a shard that has no replica is refused', () => {
    expect(refusals(9, { kind: 'superseded', ...header, promised: makeBallot(9, 2) })).toEqual([
      'superseded',
    ]);
  });
});

describe('a ballot', () => {
  const far = makeBallot(2 + ROUND_LEAP_MAX, 2);
  const prepare = (ballot: number): ShardMessage => ({ kind: 'prepare', ...header, ballot });

  it('that leaps is not promised, and one within reach is', () => {
    const shard = follower();
    shard.receive(2, prepare(far), NOW);
    shard.receive(3, { kind: 'superseded', ...header, promised: far }, NOW);
    shard.receive(2, prepare(far), NOW + LEAP_PERSISTS_MS);
    expect(settle(shard)).toContainEqual({ kind: 'implausible', from: 2, what: 'ballot' });
    expect(promisedBy(shard)).toBe(makeBallot(1, 2));
    shard.receive(2, prepare(makeBallot(1 + ROUND_LEAP_MAX, 2)), NOW);
    expect(promisedBy(shard)).toBe(makeBallot(1 + ROUND_LEAP_MAX, 2));
  });

  it('that leaps is believed when it goes on being said: its owner may have promised it', () => {
    const shard = follower();
    for (let after = 0; after < LEAP_PERSISTS_MS; after += 500) {
      shard.receive(2, prepare(makeBallot(2 + ROUND_LEAP_MAX + after, 2)), NOW + after);
    }
    expect(promisedBy(shard)).toBe(makeBallot(1, 2));
    shard.receive(2, prepare(makeBallot(9_000 + ROUND_LEAP_MAX, 2)), NOW + LEAP_PERSISTS_MS);
    expect(promisedBy(shard)).toBe(makeBallot(9_000 + ROUND_LEAP_MAX, 2));
  });

  it.each([
    [LEAP_REMEMBERED_MS - 1, makeBallot(2 + ROUND_LEAP_MAX, 2)],
    [LEAP_REMEMBERED_MS, makeBallot(1, 2)],
  ])('that leaps, said every %d ms: %d is promised after three times', (pause, promised) => {
    const shard = follower();
    for (let time = 0; time < 3; time += 1) shard.receive(2, prepare(far), NOW + time * pause);
    expect(promisedBy(shard)).toBe(promised);
  });

  it('that leaps out of all bounds is never believed', () => {
    const shard = follower();
    for (let after = 0; after < 10_000; after += 500) {
      shard.receive(2, prepare(makeBallot(2 ** 36, 2)), NOW + after);
    }
    expect(promisedBy(shard)).toBe(makeBallot(1, 2));
  });
});

describe('a floor of repeats', () => {
  const S = TIMINGS.clocksDifferMs;
  const header = { partition: P, epoch: 1, ballot: makeBallot(1, 2), commit: 5, purgedTo: 0 };
  const rows = { rows: [], absent: [] };
  const install = { ...header, ...rows, to: { ballot: header.ballot, revision: 5 } };
  const saying: Readonly<Record<string, (dedupeFloor: number) => ShardMessage>> = {
    delta: (dedupeFloor) => ({ kind: 'delta', ...install, from: zero, dedupeFloor }),
    finish: (dedupeFloor) => ({ kind: 'finish', ...install, copyId: 1, base: 0, dedupeFloor }),
    page: (dedupeFloor) => ({
      kind: 'page',
      ...header,
      ...rows,
      copyId: 1,
      pass: 1,
      start: '',
      nextKey: null,
      dedupeFloor,
    }),
  };
  const delta = saying['delta'] as (dedupeFloor: number) => ShardMessage;
  const ahead = (ms: number): number => (NOW + ms) * 1_024;

  /** Is the last one of those that are said at these times refused? */
  function isRefused(
    times: readonly number[],
    say: (time: number) => ShardMessage,
    from: (time: number) => number = () => 2,
  ): boolean {
    const shard = follower();
    const refused = times.map((time) => {
      shard.receive(from(time), say(time), NOW + time);
      return settle(shard).some((event) => event.kind === 'implausible');
    });
    return refused.at(-1) === true;
  }

  describe.each(Object.entries(saying))('of a %s', (kind, say) => {
    it('is believed as far ahead as clocks may differ, further ahead not at once', () => {
      expect(refusals(2, say(ahead(S)))).toEqual([]);
      expect(refusals(2, say(ahead(S) + 1))).toEqual(['floor']);
    });

    it('is believed when it goes on being said', () => {
      const far = say(ahead(86_400_000));
      expect(isRefused([0, 1_000, LEAP_PERSISTS_MS - 1], () => far)).toBe(true);
      expect(isRefused([0, LEAP_PERSISTS_MS], () => far)).toBe(true);
      expect(isRefused([0, 1_000, LEAP_PERSISTS_MS], () => far)).toBe(false);
    });

    it('is never believed more than a day ahead', () => {
      const times = Array.from({ length: 20 }, (_, time) => time * 1_000);
      expect(isRefused(times, () => say(AHEAD))).toBe(true);
      expect(refusals(2, say(AHEAD))).toEqual([kind]);
    });
  });

  it.each([
    [LEAP_REMEMBERED_MS - 1, false],
    [LEAP_REMEMBERED_MS, true],
  ])('that is said every %d ms: refused %s', (pause, refused) => {
    expect(isRefused([0, pause, 2 * pause], () => delta(ahead(3_600_000)))).toBe(refused);
  });

  it.each([
    [FLOOR_STEP_MAX_MS, false],
    [FLOOR_STEP_MAX_MS + 1, true],
  ])('that moves on by %d ms between times: refused %s', (step, refused) => {
    const say = (time: number): ShardMessage => delta(ahead(3_600_000 + (time / 2_000) * step));
    expect(isRefused([0, 2_000, 4_000], say)).toBe(refused);
  });

  it('of two shards does not add up', () => {
    const far = delta(ahead(3_600_000));
    const times = [0, 1_000, 2_000, 3_000];
    expect(
      isRefused(
        times,
        () => far,
        (time) => (time < 2_000 ? 2 : 3),
      ),
    ).toBe(true);
    expect(
      isRefused(
        [...times, 5_000, 6_000],
        () => far,
        (time) => (time < 2_000 ? 2 : 3),
      ),
    ).toBe(false);
  });

  it('of a shard that has no replica is not believed', () => {
    expect(
      isRefused(
        [0, 2_000, 4_000, 6_000],
        () => delta(ahead(3_600_000)),
        () => 4,
      ),
    ).toBe(true);
  });

  it('does not add up with a ballot that leaps', () => {
    const shard = follower();
    const far = 2e8;
    for (const time of [0, 2_000]) {
      shard.receive(2, { kind: 'prepare', ...header, ballot: makeBallot(far, 2) }, NOW + time);
    }
    settle(shard);
    shard.receive(2, delta(far), NOW + 4_000);
    expect(settle(shard)).toEqual([{ kind: 'implausible', from: 2, what: 'floor' }]);
  });

  it('that the replica has already is no leap, nor one that its copy has', () => {
    const dedupeFloor = ahead(3_600_000);
    const staged = {
      copyId: 1,
      generation: 2,
      ballot: 0,
      base: 0,
      nextBase: 0,
      purgedTo: 0,
      nextKey: '',
      pass: 1,
    };
    for (const known of [{ dedupeFloor }, { staging: { ...staged, dedupeFloor } }]) {
      const shard = follower(known);
      shard.receive(2, delta(dedupeFloor), NOW);
      expect(settle(shard)).toEqual([]);
      shard.receive(2, delta(dedupeFloor + 1), NOW);
      expect(settle(shard)).toEqual([{ kind: 'implausible', from: 2, what: 'floor' }]);
    }
  });
});
