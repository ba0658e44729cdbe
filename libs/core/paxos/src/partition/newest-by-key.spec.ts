import { describe, expect, it } from '@jest/globals';
import { NewestByKey } from './newest-by-key.js';

interface Item {
  readonly key: string;
  readonly nth: number;
}

/** What it stands for, without any care for what it costs. */
function newestOf(items: readonly Item[]): Item[] {
  return items.filter(({ key }, at) => !items.slice(at + 1).some((later) => later.key === key));
}

describe('NewestByKey', () => {
  it.each([0, 1, 2, 8, 9, 10, 40])('has the newest item of each of %i keys, in order', (keys) => {
    const byKey = new NewestByKey<Item>();
    const items: Item[] = [];
    for (let nth = 0; nth < keys * 3; nth += 1) {
      const item = { key: `k${(nth * 7) % keys}`, nth };
      items.push(item);
      byKey.put(item);
      expect(byKey.get(item.key)).toBe(item);
    }
    expect(byKey.size).toBe(keys);
    expect(byKey.get('other')).toBeUndefined();
    expect(byKey.all()).toEqual(newestOf(items));
  });
});
