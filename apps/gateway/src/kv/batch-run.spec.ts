import { describe, expect, it } from '@jest/globals';
import { OperationalError, REST_LIMITS } from '@ringleader/contracts';
import type { Row, ShardReply } from '@ringleader/paxos';
import type { Settler } from '../routing/in-flight.js';
import { runBatch } from './batch-run.js';
import type { BatchOptions } from './batch-run.js';

type Store = BatchOptions['store'];

interface Held {
  readonly key: string;
  readonly settler: Settler;
}

/** Of the operations that were begun and not yet answered. */
class HeldStore implements Store {
  readonly held: Held[] = [];

  beginWrite: Store['beginWrite'] = ({ key }, _repeatable, _deadline, settler) =>
    void this.held.push({ key, settler });

  beginRead: Store['beginRead'] = (key, _consistency, _deadline, settler) =>
    void this.held.push({ key, settler });
}

const options = { consistency: { kind: 'linearizable' }, deadline: 1, idempotencyKey: null } as const;
const fails: Store['beginWrite'] = (_operation, _repeatable, _deadline, settler) =>
  settler.settled({ kind: 'failed', code: 'OVERLOADED' });

const LARGE = new Uint8Array(REST_LIMITS.valueBytesMax);

function largeRow(key: string): Extract<ShardReply, { kind: 'row' }> {
  const written = { revision: 1, version: 1, createdAt: 1, modifiedAt: 1 };
  const row = { key, value: LARGE, contentType: 'text/plain', ...written } as Row;
  return { kind: 'row', token: 1, row, stalenessMs: 0 };
}

describe('a batch', () => {
  it('begins what is on one key in its order, and nothing twice', async () => {
    const store = new HeldStore();
    const keys = ['a', 'b', 'a', 'a', 'b'];
    const run = runBatch(
      keys.map((key) => ({ op: 'put', key, value: 'v' })),
      { ...options, store },
    );
    const begun: string[] = [];
    for (let held = store.held.pop(); held !== undefined; held = store.held.pop()) {
      begun.push(held.key);
      held.settler.settled({ kind: 'failed', code: 'OVERLOADED' });
    }
    expect(begun).toEqual(['b', 'b', 'a', 'a', 'a']);
    expect((await run).results).toHaveLength(keys.length);
  });

  it('is not deeper for being refused at once, a thousand times on one key', async () => {
    const operations = Array.from({ length: 1_000 }, () => ({ op: 'put', key: 'k', value: 'v' }) as const);
    const { results } = await runBatch(operations, {
      ...options,
      store: { beginWrite: fails, beginRead: () => undefined },
    });
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['failed']));
  });

  it('has 32 reads under way at most, whether or not they can begin', async () => {
    const store = new HeldStore();
    const operations = Array.from({ length: 100 }, (_, i) => ({ op: 'get', key: `k${i}` }) as const);
    const run = runBatch(operations, { ...options, store });
    expect(store.held).toHaveLength(32);
    while (store.held.length > 0)
      store.held.shift()?.settler.settled({ kind: 'failed', code: 'UNAVAILABLE' });
    expect((await run).results).toHaveLength(100);
    const refused = await runBatch(operations, {
      ...options,
      store: {
        beginWrite: fails,
        beginRead: () => {
          throw new OperationalError('UNAVAILABLE', 'there is no map');
        },
      },
    });
    expect(refused.results).toHaveLength(100);
  });

  it('comes to its end where its reads bring back more than it may, however many wait then', async () => {
    const store = new HeldStore();
    const operations = Array.from({ length: 200 }, (_, i) => ({ op: 'get', key: `k${i}` }) as const);
    const run = runBatch(operations, { ...options, store });
    let begun = 0;
    for (let held = store.held.shift(); held !== undefined; held = store.held.shift()) {
      begun += 1;
      held.settler.settled({ kind: 'answered', reply: largeRow(held.key), servedBy: 1 });
    }
    const { results } = await run;
    // Eight of a megabyte each are as much as it gives back; those that were under way by then come too.
    expect(begun).toBe(8 + 31);
    expect(results.slice(0, begun).every(({ kind }) => kind === 'found')).toBe(true);
    expect(results.slice(begun)).toHaveLength(200 - begun);
    for (const result of results.slice(begun))
      expect(result).toMatchObject({ kind: 'failed', error: { code: 'REQUEST_TOO_LARGE' } });
  });

  it('fails as a whole of what nobody expected, and the router goes on', async () => {
    const store = new HeldStore();
    const run = runBatch([{ op: 'get', key: 'k' }], { ...options, store });
    const reply = { kind: 'absent', token: 1 } as const;
    store.held[0]?.settler.settled({ kind: 'answered', reply, servedBy: 1 });
    await expect(run).rejects.toThrow('A read was answered with absent');
  });
});
