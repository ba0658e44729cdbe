import { beforeEach, describe, expect, it } from '@jest/globals';
import { ModelCluster } from '../../test/model-cluster.js';
import type { ClusterState } from './cluster-state.js';
import { MoveReports } from './reports.js';
import { type Mover, Room } from './room.js';
import { PLANNER_RULES } from './rules.js';

const NOW = 1_000_000;
const CALM = null;

describe('Room', () => {
  let state: ClusterState;
  let reports: MoveReports;

  beforeEach(() => {
    const cluster = new ModelCluster({ shards: Array.from({ length: 8 }, () => ({})) });
    cluster.settles();
    ({ state } = cluster);
    reports = new MoveReports(PLANNER_RULES);
    for (const ordinal of [1, 2, 3, 4]) reports.takeQuiet(ordinal, CALM, NOW);
  });

  const room = (movesMax: number, stuck: readonly number[] = []): Room =>
    new Room({ state, reports, nowMs: NOW, stuck: new Set(stuck), rules: PLANNER_RULES }, movesMax);

  /** Away from who leads it, to one that is a replica of nothing here. */
  function mover(from: number, to = 8, lost?: number): Mover {
    const replicas = [from, 6, lost ?? 7];
    const entry = {
      partition: from,
      epoch: 1,
      replicas,
      nextReplicas: null,
      learners: [],
      preferredLeader: from,
    };
    return { entry, add: to, remove: lost ?? 7 };
  }

  const isRoomFor = (of: Room, move: Mover): boolean =>
    of.whyFull(move) === null && of.whyNotYet(move) === null;

  it('has as many places as may be under way, and four of each shard', () => {
    const places = room(6);
    for (const from of [1, 1, 1, 1]) {
      expect(isRoomFor(places, mover(from, 5))).toBe(true);
      places.occupy(mover(from, 5));
    }
    expect(places.whyNotYet(mover(1))).toBe('moves from or to shard-1 to end');
    expect(places.whyNotYet(mover(2, 5))).toBe('moves from or to shard-5 to end');
    for (const from of [2, 3]) places.occupy(mover(from));
    expect(places.whyFull(mover(4))).toBe('one of the 6 moves that may be under way to end');
  });

  it('has one move beside users, and more with each minute without', () => {
    for (const [minutes, most] of [
      [0, 1],
      [1, 2],
      [2, 3],
      [3, 4],
      [9, 4],
    ] as const) {
      reports.takeQuiet(1, minutes * 60_000, NOW);
      const places = room(4);
      let count = 0;
      while (isRoomFor(places, mover(1))) {
        places.occupy(mover(1));
        count += 1;
      }
      expect(count).toBe(most);
    }
  });

  it('lets nobody begin beside a shard whose users wait, nor that beside others', () => {
    reports.takeQuiet(1, 0, NOW);
    const places = room(4);
    places.occupy(mover(1));
    expect(places.whyFull(mover(2))).toBe(
      'another move to end, since copies may give way to users at shard-1',
    );
    const others = room(4);
    others.occupy(mover(2));
    expect(others.whyNotYet(mover(1))).toBe(
      'another move to end, since copies may give way to users at shard-1',
    );
    // It would wait for ever behind those that take up less.
    expect(others.whyFull(mover(3))).not.toBe(null);
  });

  it('holds back only the shard whose users wait where many may move', () => {
    reports.takeQuiet(1, 0, NOW);
    const places = room(64);
    places.occupy(mover(1));
    expect(places.whyNotYet(mover(1))).toBe(
      'another move to end, since copies may give way to users at shard-1',
    );
    expect(isRoomFor(places, mover(2))).toBe(true);
  });

  it('knows no calm of a shard that gives rows away and has not told of its users', () => {
    const places = room(4);
    places.occupy(mover(5));
    expect(isRoomFor(places, mover(1))).toBe(false);
  });

  it('lets a replica that is lost be replaced beside anything', () => {
    reports.takeQuiet(1, 0, NOW);
    state = { ...state, verdicts: new Map([['shard-7', { verdict: 'down', sinceMs: 0 }]]) };
    const places = room(4);
    places.occupy(mover(1, 8, 6));
    expect(isRoomFor(places, mover(1, 8, 6))).toBe(false);
    for (let count = 1; count < 4; count++) {
      expect(isRoomFor(places, mover(1, 8, 7))).toBe(true);
      places.occupy(mover(1, 8, 7));
    }
    expect(isRoomFor(places, mover(1, 8, 7))).toBe(false);
  });

  it('counts a move that comes no further among all, and against its newcomer', () => {
    reports.takeQuiet(1, 0, NOW);
    const places = room(4);
    places.occupy(mover(1), true);
    expect(isRoomFor(places, mover(1, 5))).toBe(true);
    expect(places.whyNotYet(mover(2))).toBe('moves from or to shard-8 to end');
    for (const from of [2, 3, 4]) places.occupy(mover(from, 5), true);
    expect(places.whyFull(mover(2, 5))).toBe('one of the 4 moves that may be under way to end');
  });

  it('tries one move at a time to a newcomer that took nothing in', () => {
    const places = room(4, [8]);
    expect(isRoomFor(places, mover(1))).toBe(true);
    places.occupy(mover(1));
    expect(places.whyNotYet(mover(2))).toBe('moves from or to shard-8 to end');
    expect(isRoomFor(places, mover(2, 5))).toBe(true);
  });
});
