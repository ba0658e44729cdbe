/** Lists over all shards: order, bounds, pages, streams; while keys are written and leaders move. */
import { request } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { REST_LIMITS } from '@ringleader/contracts';
import type { Item } from '@ringleader/contracts';
import { compareKeys, seededPrng } from '@ringleader/primitives';
import { startGateway } from './support/gateway-harness.js';
import type { GatewayHarness } from './support/gateway-harness.js';
import { problemOf } from './support/http-client.js';

interface Page {
  readonly items: readonly Item[];
  readonly cursor?: string;
}

let gateway: GatewayHarness;
/** Keys of all sorts, in byte order. */
let keys: string[];

async function putAll(names: readonly string[]): Promise<void> {
  for (let i = 0; i < names.length; i += 1_000) {
    const operations = names.slice(i, i + 1_000).map((key) => ({ op: 'put', key, value: `value of ${key}` }));
    const answer = await fetch(`${gateway.url}/v1/kv:batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ operations }),
    });
    expect(answer.status).toBe(200);
  }
}

async function list(query: Record<string, string> = {}): Promise<Page> {
  const answer = await fetch(`${gateway.url}/v1/kv?${new URLSearchParams(query).toString()}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Page;
}

/** Follows cursors to the end; `between` runs before each page. */
async function listAll(
  query: Record<string, string>,
  between: () => Promise<void> | void = () => undefined,
): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    await between();
    const page: Page = await list({ ...query, ...(cursor !== undefined && { cursor }) });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return items;
}

const keysOf = (items: readonly Item[]): string[] => items.map(({ key }) => key);

beforeAll(async () => {
  gateway = await startGateway();
  const odd = [
    'a',
    'a\0',
    'a/b',
    'a//b',
    'a/../b',
    '{tag}x',
    'ä',
    '～',
    '😀',
    '😀/x',
    '\u{10ffff}',
    '\ud7ff',
    '\ue000',
    ' ',
    '%',
    '+',
    '?',
  ];
  keys = [...odd, ...Array.from({ length: 700 }, (_, i) => `n/${i}`)].sort(compareKeys);
  await putAll(keys);
});
afterEach(() => {
  gateway.shards.intercept = () => null;
});
afterAll(() => gateway.close());

describe('a list', () => {
  it('gives all keys in byte order, page by page', async () => {
    for (const limit of ['1000', '97', '1']) {
      if (limit === '1') keys = keys.filter((key) => !key.startsWith('n/') || key.length < 4);
      const prefix = limit === '1' ? { prefix: '😀' } : {};
      const wanted = limit === '1' ? ['😀', '😀/x'] : keys;
      expect(keysOf(await listAll({ limit, ...prefix }))).toEqual(wanted);
    }
  });

  it('goes backwards', async () => {
    const items = await listAll({ limit: '100', reverse: 'true' });
    expect(keysOf(items)).toEqual(keysOf(await listAll({ limit: '1000' })).reverse());
  });

  it.each<[Record<string, string>, (key: string) => boolean]>([
    [{ prefix: 'a' }, (key) => key.startsWith('a')],
    [{ prefix: 'n/69' }, (key) => key.startsWith('n/69')],
    [{ prefix: '\ud7ff' }, (key) => key.startsWith('\ud7ff')],
    [{ prefix: '\u{10ffff}' }, (key) => key.startsWith('\u{10ffff}')],
    [{ start: 'n/69', end: 'n/7' }, (key) => compareKeys(key, 'n/69') >= 0 && compareKeys(key, 'n/7') < 0],
    [{ start: '～' }, (key) => compareKeys(key, '～') >= 0],
    [{ prefix: 'n/', end: 'n/2' }, (key) => key.startsWith('n/') && compareKeys(key, 'n/2') < 0],
    [{ start: 'b', end: 'a' }, () => false],
    [{ prefix: 'zzz' }, () => false],
  ])('%j', async (query, matches) => {
    const all = keysOf(await listAll({ limit: '1000' }));
    const wanted = all.filter(matches);
    expect(keysOf(await listAll({ ...query, limit: '7' }))).toEqual(wanted);
    expect(keysOf(await listAll({ ...query, limit: '7', reverse: 'true' }))).toEqual(wanted.reverse());
  });

  it('gives values, or keys alone', async () => {
    const { items } = await list({ prefix: 'a/b' });
    expect(items).toEqual([
      expect.objectContaining({
        key: 'a/b',
        version: 1,
        value: 'value of a/b',
        contentType: 'application/octet-stream',
      }),
    ]);
    const only = await list({ prefix: 'a/b', keysOnly: 'true' });
    expect(Object.keys(only.items[0] ?? {}).sort()).toEqual([
      'createdAt',
      'key',
      'modifiedAt',
      'revision',
      'version',
    ]);
  });

  it('has no cursor at its end, and 100 items by default', async () => {
    expect((await list({ prefix: 'a' })).cursor).toBeUndefined();
    const page = await list();
    expect([page.items.length, typeof page.cursor]).toEqual([REST_LIMITS.listLimitDefault, 'string']);
  });

  it('refuses the cursor of another list', async () => {
    const { cursor } = await list({ prefix: 'n/', limit: '2' });
    const answer = await fetch(`${gateway.url}/v1/kv?prefix=a&cursor=${cursor ?? ''}`);
    expect(await problemOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', parameter: 'cursor' });
  });

  it.each(['false', 'true'])('refuses a cursor that leads out of its list (reverse: %s)', async (reverse) => {
    const { cursor = '' } = await list({ prefix: 'n/', reverse, limit: '2' });
    const [version, last, made] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    expect(last).toMatch(/^n\//);
    for (const forged of ['', 'a', 'm', 'n', 'n0', 'z', '\u{10ffff}', 'n/\ud800', '\udc00']) {
      const bytes = Buffer.from(JSON.stringify([version, forged, made]));
      const query = new URLSearchParams({ prefix: 'n/', reverse, cursor: bytes.toString('base64url') });
      for (const accept of ['application/json', 'application/x-ndjson']) {
        const answer = await fetch(`${gateway.url}/v1/kv?${query.toString()}`, { headers: { accept } });
        expect(await problemOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', parameter: 'cursor' });
      }
    }
  });

  it('ends a page early rather than give back too much at once', async () => {
    const megabyte = new Uint8Array(1_048_576).fill(97);
    for (let i = 0; i < 10; i++) {
      await fetch(`${gateway.url}/v1/kv/large/${i}`, { method: 'PUT', body: megabyte });
    }
    const page = await list({ prefix: 'large/' });
    expect(page.items.length).toBeLessThan(10);
    expect(keysOf(await listAll({ prefix: 'large/' }))).toEqual(
      Array.from({ length: 10 }, (_, i) => `large/${i}`),
    );
    for (let i = 0; i < 10; i++) await fetch(`${gateway.url}/v1/kv/large/${i}`, { method: 'DELETE' });
  });

  it('answers UNAVAILABLE while a part of the keys has no leader', async () => {
    gateway.shards.intercept = ({ kind, token }) =>
      kind === 'scan' ? { kind: 'rows', token, rows: [], more: false, notLed: [3] } : null;
    const answer = await fetch(`${gateway.url}/v1/kv`, { headers: { 'Ringleader-Timeout-Ms': '1000' } });
    expect((await problemOf(answer)).code).toBe('UNAVAILABLE');
  });
});

describe('while keys are written and leaders move', () => {
  it('asks only those again that did not lead: there may be no moment at which all lead at once', async () => {
    const asked = new Map<number, number>();
    gateway.shards.intercept = ({ kind, token }, shard) => {
      if (kind !== 'scan') return null;
      const times = asked.get(shard) ?? 0;
      asked.set(shard, times + 1);
      return times % 3 === shard % 3 ? null : { kind: 'rows', token, rows: [], more: false, notLed: [3] };
    };
    const { items } = await list({ prefix: 'n/', limit: '50' });
    const first = Array.from({ length: 700 }, (_, i) => `n/${i}`).sort(compareKeys);
    expect(keysOf(items)).toEqual(first.slice(0, 50));
    expect([...asked.values()].every((times) => times < 10)).toBe(true);
  });

  it.each(['false', 'true'])(
    'no key that exists throughout is skipped or given twice (reverse=%s)',
    async (reverse) => {
      const prng = seededPrng(7);
      const disturb = async (): Promise<void> => {
        const noise = Array.from({ length: 20 }, () => `n/${prng.nextBelow(700)}/${prng.nextBelow(1_000)}`);
        await putAll(noise);
        await fetch(`${gateway.url}/v1/kv/${noise[0] ?? ''}`, { method: 'DELETE' });
        for (let i = 0; i < 4; i++) gateway.shards.moveLeader(prng.nextBelow(16), 1 + prng.nextBelow(3));
        gateway.announce();
      };
      const lasting = new Set(Array.from({ length: 700 }, (_, i) => `n/${i}`));
      const found = keysOf(await listAll({ prefix: 'n/', limit: '30', reverse }, disturb));
      expect(found.filter((key) => lasting.has(key))).toHaveLength(700);
      expect(new Set(found).size).toBe(found.length);
      const sorted = [...found].sort(compareKeys);
      expect(found).toEqual(reverse === 'true' ? sorted.reverse() : sorted);
    },
  );

  it('also in one stream', async () => {
    const prng = seededPrng(8);
    const moving = setInterval(() => {
      gateway.shards.moveLeader(prng.nextBelow(16), 1 + prng.nextBelow(3));
      gateway.announce();
    }, 40);
    try {
      const headers = { Accept: 'application/x-ndjson' };
      const answer = await fetch(`${gateway.url}/v1/kv?prefix=n/`, { headers });
      const lines = (await answer.text()).trimEnd().split('\n');
      const found = lines.map((line) => (JSON.parse(line) as Item).key);
      expect(new Set(found).size).toBe(found.length);
      expect(found.filter((key) => /^n\/\d+$/.test(key))).toHaveLength(700);
    } finally {
      clearInterval(moving);
    }
  }, 30_000);
});

describe('a stream', () => {
  const wide = Array.from({ length: 60 }, (_, i) => `/v1/kv/wide/${i}`);
  beforeAll(async () => {
    const body = new Uint8Array(524_288).fill(97);
    for (const path of wide) await fetch(gateway.url + path, { method: 'PUT', body });
  }, 30_000);

  it('gives all items', async () => {
    const answer = await fetch(`${gateway.url}/v1/kv?end=wide`, {
      headers: { Accept: 'application/x-ndjson' },
    });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    const lines = (await answer.text()).trimEnd().split('\n');
    const all = await listAll({ limit: '1000', end: 'wide' });
    expect(lines.map((line) => JSON.parse(line) as Item)).toEqual(all);
  });

  it('has no limit, since it has no cursor', async () => {
    const headers = { Accept: 'application/x-ndjson' };
    const answer = await fetch(`${gateway.url}/v1/kv?limit=3`, { headers });
    expect(await problemOf(answer)).toMatchObject({ code: 'INVALID_ARGUMENT', parameter: 'limit' });
  });

  it('fetches no more than the client reads', async () => {
    const framesBefore = gateway.shards.framesSent.length;
    const settled = await new Promise<number>((resolve, reject) => {
      const stream = request(`${gateway.url}/v1/kv?prefix=wide/`, {
        headers: { Accept: 'application/x-ndjson' },
      });
      stream.on('response', (response) => {
        response.once('readable', () => {
          // Nobody reads from here on: the frames sent come to rest.
          let last = -1;
          const watch = setInterval(() => {
            const sent = gateway.shards.framesSent.length - framesBefore;
            if (sent !== last) {
              last = sent;
              return;
            }
            clearInterval(watch);
            stream.destroy();
            resolve(sent);
          }, 200);
        });
      });
      stream.on('error', reject);
      stream.end();
    });
    // 60 pages of one value each would be needed for all of it.
    expect(settled).toBeLessThan(45);
  }, 30_000);

  it('that cannot begin is refused with a problem document', async () => {
    gateway.shards.isOpen = false;
    const headers = { Accept: 'application/x-ndjson', 'Ringleader-Timeout-Ms': '200' };
    const answer = await fetch(`${gateway.url}/v1/kv`, { headers });
    gateway.shards.isOpen = true;
    expect((await problemOf(answer)).code).toBe('UNAVAILABLE');
  });

  it('has the head that it would begin with', async () => {
    const ask = async (method: string, query: string, timeoutMs = 5_000): Promise<unknown[]> => {
      const headers = { Accept: 'application/x-ndjson', 'Ringleader-Timeout-Ms': String(timeoutMs) };
      const answer = await fetch(`${gateway.url}/v1/kv${query}`, { method, headers });
      const text = await answer.text();
      if (method === 'HEAD') expect(text).toBe('');
      return [
        answer.status,
        ...['content-type', 'vary', 'cache-control'].map((name) => answer.headers.get(name)),
      ];
    };
    for (const query of ['', '?prefix=no-such', '?start=b&end=a', '?limit=3', '?cursor=none']) {
      expect(await ask('HEAD', query)).toEqual(await ask('GET', query));
    }
    gateway.shards.isOpen = false;
    const [refused, refusal] = [await ask('HEAD', '', 200), await ask('GET', '', 200)];
    gateway.shards.isOpen = true;
    expect(refused[0]).toBe(503);
    expect(refused).toEqual(refusal);
  });

  it('that breaks off half-way breaks the connection', async () => {
    let pages = 0;
    gateway.shards.intercept = ({ kind }) => (kind === 'scan' && ++pages > 10 ? 'lose' : null);
    const headers = { Accept: 'application/x-ndjson', 'Ringleader-Timeout-Ms': '300' };
    const answer = await fetch(`${gateway.url}/v1/kv?prefix=wide/`, { headers });
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow('terminated');
  });
});
