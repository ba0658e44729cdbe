import { beforeEach, describe, expect, it } from '@jest/globals';
import { MvccStore } from '@ringleader/mvcc';
import { ManualClock } from '../../test/group-of-one.js';
import { LongPolls } from './long-polls.js';
import { StoreFollowers } from './store-followers.js';

const all = { key: '', rangeEnd: '' };

describe('LongPolls', () => {
  let store: MvccStore;
  let followers: StoreFollowers;
  let polls: LongPolls;
  let canServe: boolean;

  beforeEach(() => {
    [store, canServe] = [new MvccStore(), true];
    followers = new StoreFollowers(() => store);
    polls = new LongPolls({
      ...{ store: () => store, followers, clock: new ManualClock(), canServe: () => canServe },
    });
  });

  const put = (key: string): void => {
    const operation = { kind: 'put', key, value: Buffer.of(), lease: 0, wantsPrevious: false } as const;
    store.apply({ kind: 'txn', compare: [], success: [operation], failure: [] }, 1);
    followers.advance();
  };
  const watch = (fromRevision: number, waitMs = 60_000): ReturnType<LongPolls['watch']> =>
    polls.watch({ ...all, fromRevision, waitMs });

  it('answer at once with what has happened', async () => {
    put('a');
    expect(await watch(1)).toMatchObject({ events: [{ item: { key: 'a' } }], nextRevision: 2, nextSkip: 0 });
  });

  it('wait for the next change', async () => {
    const answer = watch(1);
    expect(polls.size).toBe(1);
    put('a');
    expect(await answer).toMatchObject({ events: [{ item: { key: 'a' } }] });
    expect(polls.size).toBe(0);
  });

  it('wait on when the change is of no concern to them, and miss nothing that is compacted meanwhile', async () => {
    const answer = polls.watch({ key: 'b', fromRevision: 1, waitMs: 60_000 });
    put('a');
    store.apply({ kind: 'compact', revision: 1 }, 1);
    put('b');
    expect(await answer).toMatchObject({ events: [{ item: { key: 'b', modRevision: 2 } }] });
  });

  it('say that nothing happened only after the time they were given, and only where that is known', async () => {
    expect(await watch(1, 0)).toEqual({ events: [], nextRevision: 1, nextSkip: 0 });
    canServe = false;
    await expect(watch(1, 0)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('are sent away when their member stops', async () => {
    const answer = watch(1);
    canServe = false;
    polls.wakeAll();
    await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('end with COMPACTED, never with a gap', async () => {
    put('a');
    store.apply({ kind: 'compact', revision: 1 }, 1);
    await expect(watch(1)).rejects.toMatchObject({ code: 'COMPACTED', details: { compactedRevision: 1 } });
  });
});
