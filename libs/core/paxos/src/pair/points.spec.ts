import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CommitPoint, CommitPoints } from '../messages.js';
import { LEASE_RULES } from '../rules/lease-rules.js';
import { PointsHeard } from './points-heard.js';
import { PointsTold } from './points-told.js';

const TELLER = 1;
const HEARER = 2;
const HEARER_LIFE = 7;

function point(partition: number, commit: number, fresh = true): CommitPoint {
  return { partition, epoch: 1, ballot: 65_537, commit, fresh };
}

describe('commit points between two shards', () => {
  let told = new PointsTold(LEASE_RULES, 1);
  let heard = new PointsHeard(LEASE_RULES, HEARER_LIFE);
  let outdated: (readonly [CommitPoint, number])[] = [];
  let now = 0;
  /** The teller's, as its heartbeats say. */
  let life = 1;

  beforeEach(() => {
    told = new PointsTold(LEASE_RULES, 1);
    heard = new PointsHeard(LEASE_RULES, HEARER_LIFE);
    told.meet(HEARER, HEARER_LIFE);
    outdated = [];
    now = 1_000;
    life = 1;
  });

  function say(echo = now): CommitPoints[] {
    return told.messagesTo(HEARER, { echo, echoIncarnation: HEARER_LIFE });
  }

  function take(messages: readonly CommitPoints[]): void {
    for (const message of messages) {
      heard.take(TELLER, message, life, (before, freshAt) => outdated.push([before, freshAt]));
    }
  }

  function answer(sentAt = now): void {
    told.answered(HEARER, { incarnation: HEARER_LIFE, heard: heard.heard(TELLER, 1), sentAt });
  }

  it('are told once, and vouched for by one stamp ever after', () => {
    told.note(HEARER, point(5, 3));
    told.note(HEARER, point(6, 0));
    take(say(1_001));
    answer();
    told.note(HEARER, point(5, 3));
    expect(say(1_002)).toEqual([
      {
        kind: 'commitPoints',
        incarnation: 1,
        after: 2,
        upTo: 2,
        points: [],
        stamp: { echo: 1_002, echoIncarnation: HEARER_LIFE },
      },
    ]);
    take(say(1_003));
    expect(heard.freshAt(TELLER)).toBe(1_003);
    expect(heard.pointOf(TELLER, 5)).toEqual(point(5, 3));
  });

  it('are told again until they were heard; a stamp that comes before them counts nothing', () => {
    told.note(HEARER, point(5, 3));
    take(say(1_001));
    answer();
    told.note(HEARER, point(5, 4));
    say(1_002);
    told.note(HEARER, point(6, 1));
    const again = say(1_003);
    expect(again[0]?.points).toEqual([point(5, 4), point(6, 1)]);
    take([{ ...again[0]!, after: 2, points: [] }]);
    expect(heard.freshAt(TELLER)).toBe(1_001);
    take(again);
    expect(heard.freshAt(TELLER)).toBe(1_003);
    expect(outdated).toEqual([[point(5, 3), 1_001]]);
  });

  it('late and repeated messages take nothing back', () => {
    told.note(HEARER, point(5, 3));
    const first = say(1_001);
    told.note(HEARER, point(5, 4));
    take(say(1_002));
    take(first);
    expect(heard.pointOf(TELLER, 5)).toEqual(point(5, 4));
    expect(heard.freshAt(TELLER)).toBe(1_002);
    answer(1_002);
    told.answered(HEARER, { incarnation: HEARER_LIFE, heard: 0, sentAt: 1_001 });
    expect(say()[0]?.points).toEqual([]);
  });

  it('are told from the beginning to whoever has just started', () => {
    told.note(HEARER, point(5, 3));
    take(say());
    answer();
    told.meet(HEARER, HEARER_LIFE + 1);
    told.answered(HEARER, { incarnation: HEARER_LIFE, heard: 1, sentAt: now });
    expect(say()[0]).toMatchObject({ after: 0, points: [point(5, 3)] });
  });

  it('of a teller that has started anew do not mix with those from before', () => {
    told.note(HEARER, point(5, 3));
    told.note(HEARER, point(6, 3));
    const before = say(1_001);
    take(before);
    const next = new PointsTold(LEASE_RULES, 2);
    life = 2;
    next.note(HEARER, point(5, 4));
    take(next.messagesTo(HEARER, { echo: 1_002, echoIncarnation: HEARER_LIFE }));
    take(before);
    expect(heard.pointOf(TELLER, 6)).toBe(undefined);
    expect(heard.freshAt(TELLER)).toBe(1_002);
    expect(outdated).toEqual([
      [point(5, 3), 1_001],
      [point(6, 3), 1_001],
    ]);
  });

  it.each([
    ['a number', 1],
    ['an incarnation', 9],
  ])('are told again when %s was heard that was never said', (_, incarnation) => {
    told.note(HEARER, point(5, 3));
    take(say(1_001));
    take([{ ...say(1_002)[0]!, incarnation, after: 0, upTo: 2 ** 40, points: [] }]);
    told.note(HEARER, point(5, 4));
    for (let beat = 1_003; beat < 1_010; beat += 1) {
      take(say(beat));
      answer(beat);
    }
    expect(heard.pointOf(TELLER, 5)).toEqual(point(5, 4));
    expect(heard.freshAt(TELLER)).toBe(1_009);
  });

  it('heard again in an earlier state, after late messages were taken for the truth, are vouched for by no later stamp', () => {
    told.note(HEARER, point(5, 3));
    told.note(HEARER, point(6, 3));
    const first = say(1_001);
    take(first);
    told.withdraw(5);
    take(say(1_002));
    expect(heard.freshAt(TELLER)).toBe(1_002);
    for (let late = 0; late < 4; late += 1) take(first);
    expect(heard.pointOf(TELLER, 5)).toEqual(point(5, 3));
    expect(heard.freshAt(TELLER)).toBe(1_001);
    expect(outdated).toContainEqual([point(6, 3), 1_002]);
    answer(1_003);
    take(say(1_004));
    expect(heard.pointOf(TELLER, 5)).toEqual(point(5, 3, false));
    expect(heard.freshAt(TELLER)).toBe(1_004);
  });

  it('end when the leadership does, before the next stamp; with none left nothing is said', () => {
    told.note(HEARER, point(5, 3));
    take(say());
    answer();
    told.withdraw(5);
    const withdrawal = say(1_002);
    expect(withdrawal).toEqual([expect.objectContaining({ points: [point(5, 3, false)], stamp: null })]);
    take(withdrawal);
    answer();
    expect(say()).toEqual([]);
  });

  it('that are too many for one message go in several, of which the last has the stamp', () => {
    for (let partition = 0; partition < 10_000; partition += 1) told.note(HEARER, point(partition, 1));
    const messages = say(1_001);
    expect(messages.map(({ points }) => points.length)).toEqual([4_096, 4_096, 1_808]);
    expect(messages.map(({ stamp }) => stamp === null)).toEqual([true, true, false]);
    take(messages.toReversed());
    expect(heard.freshAt(TELLER)).toBe(null);
    answer(1_001);
    take(say(1_002));
    expect(heard.freshAt(TELLER)).toBe(1_002);
    expect(heard.pointOf(TELLER, 9_999)).toEqual(point(9_999, 1));
  });

  it('echo only to the life that wrote the stamp', () => {
    told.note(HEARER, point(5, 3));
    take(told.messagesTo(HEARER, { echo: 1_001, echoIncarnation: HEARER_LIFE - 1 }));
    expect(heard.freshAt(TELLER)).toBe(null);
  });
});
