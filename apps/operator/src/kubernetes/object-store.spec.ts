import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from './kube-api.js';
import { ObjectStore } from './object-store.js';

const object = (name: string, version: number, uid = name, group = 'g'): KubeObject => ({
  metadata: { name, namespace: 'n', uid, resourceVersion: String(version), labels: { group } },
});
const newStore = (): ObjectStore => new ObjectStore(({ metadata }) => metadata.labels?.['group'] ?? null);
const names = (objects: readonly KubeObject[]): string[] => objects.map(({ metadata }) => metadata.name);

describe('a store of objects', () => {
  it('never goes back: an event that comes behind the answer to a later write is none', () => {
    const store = newStore();
    expect(store.put(object('a', 99))).toBe(true);
    expect(store.put(object('a', 100))).toBe(true);
    expect(store.put(object('a', 99))).toBe(false);
    expect(store.put(object('a', 100))).toBe(false);
    expect(store.get({ namespace: 'n', name: 'a' })?.metadata.resourceVersion).toBe('100');
  });

  it('does not take one for another of the same name', () => {
    const store = newStore();
    store.put(object('a', 5, 'second'));
    expect(store.delete(object('a', 6, 'first'))).toBe(false);
    expect(store.delete(object('a', 6, 'second'))).toBe(true);
    expect(store.size).toBe(0);
  });

  it('is not told of what is gone by an answer that comes behind the event', () => {
    const store = newStore();
    store.put(object('a', 5));
    expect(store.delete(object('a', 7))).toBe(true);
    // The answer to a write just before the end of it.
    expect(store.put(object('a', 6))).toBe(false);
    expect(store.size).toBe(0);
    expect(store.put(object('a', 8, 'another'))).toBe(true);
    store.replaceAll([], '20');
    expect(store.put(object('a', 9, 'another'))).toBe(false);
    expect(store.put(object('b', 20))).toBe(false);
    expect(store.put(object('b', 21))).toBe(true);
  });

  it('finds what belongs together, also when that changes', () => {
    const store = newStore();
    store.put(object('a', 1));
    store.put(object('b', 2));
    store.put(object('b', 3, 'b', 'other'));
    expect([names(store.inGroup('g')), names(store.inGroup('other'))]).toEqual([['a'], ['b']]);
  });

  it('takes a list for all there is, but for what was written behind it', () => {
    const store = newStore();
    for (const name of ['a', 'b', 'c']) store.put(object(name, 1));
    store.put(object('new', 50));
    const changed = store.replaceAll([object('a', 1), object('b', 7)], '40');
    expect(names(changed)).toEqual(['c', 'b']);
    expect(names(store.all()).sort()).toEqual(['a', 'b', 'new']);
  });
});
