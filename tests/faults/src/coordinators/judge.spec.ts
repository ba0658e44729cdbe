import { describe, expect, it } from '@jest/globals';
import type { KeyValue, WatchEvent } from '@ringleader/contracts';
import { judge } from './judge.js';
import type { Recorded, Told } from './recorded.js';

const item = (value: string, modRevision: number, version: number): KeyValue => ({
  key: 'k',
  value,
  createRevision: 1,
  modRevision,
  version,
  lease: 0,
});
const put = (value: string, revision: number, version: number): WatchEvent => ({
  kind: 'put',
  item: item(value, revision, version),
});
const EVENTS = [put('a', 1, 1), put('b', 2, 2)];
const WATCHERS = [[EVENTS], EVENTS.map((event) => [event])];

function wrote(value: string, invokedAt: number, told: Partial<Told> | null): Recorded {
  const asked = { condition: null, writes: new Map([['k', value]]), reads: [] };
  const full = told && { revision: 0, succeeded: true, isChange: true, items: [], ...told };
  return { process: 1, asked, told: full, invokedAt, returnedAt: invokedAt + 1 };
}

function read(seen: KeyValue, revision: number, invokedAt: number): Recorded {
  const asked = { condition: null, writes: new Map(), reads: ['k'] };
  const told = { revision, succeeded: true, isChange: false, items: [seen] };
  return { process: 2, asked, told, invokedAt, returnedAt: invokedAt + 1 };
}

const HISTORY = [wrote('a', 0, { revision: 1 }), wrote('b', 2, { revision: 2 }), read(item('b', 2, 2), 2, 4)];

describe('the judge of what coordinators told', () => {
  it('finds nothing wrong with what is right, nor with what nobody knows', () => {
    expect(judge(HISTORY, WATCHERS)).toEqual([]);
    expect(judge([...HISTORY.slice(1), wrote('a', 0, null), wrote('c', 0, null)], WATCHERS)).toEqual([]);
  });

  it.each<[string, Recorded]>([
    ['an acknowledged write that is not there', wrote('c', 6, { revision: 3 })],
    ['a stale read', read(item('a', 1, 1), 1, 6)],
    ['a read of what is not so at its revision', read(item('a', 1, 1), 2, 6)],
  ])('finds %s', (_, recorded) => {
    expect(judge([...HISTORY, recorded], WATCHERS)).not.toEqual([]);
  });

  it('finds a refusal whose condition held, and a change whose condition did not', () => {
    const conditional = (modRevision: number, succeeded: boolean): Recorded => {
      const { asked, ...rest } = wrote('b', 2, { revision: 2, succeeded, isChange: succeeded });
      return { ...rest, asked: { ...asked, condition: { key: 'k', modRevision } } };
    };
    expect(judge([HISTORY[0]!, conditional(1, true)], WATCHERS)).toEqual([]);
    expect(judge([HISTORY[0]!, conditional(2, true)], WATCHERS)).not.toEqual([]);
    expect(judge([HISTORY[0]!, conditional(2, false)], WATCHERS)).not.toEqual([]);
  });

  it.each<[string, WatchEvent[][]]>([
    ['misses an event', [[EVENTS[0]!]]],
    ['sees one twice', [EVENTS, [EVENTS[1]!]]],
    ['sees them out of order', [[EVENTS[1]!], [EVENTS[0]!]]],
    ['sees a revision in two parts', [EVENTS, [put('c', 2, 3)]]],
  ])('finds a watcher that %s', (_, deliveries) => {
    expect(judge(HISTORY, [...WATCHERS, deliveries])).not.toEqual([]);
  });
});
