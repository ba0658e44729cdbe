/** What grows with the data must not grow with its square: counted in looks, which is exact, and not in time. */
import { describe, expect, it } from '@jest/globals';
import type { Operation } from './commands.js';
import { KeyIndex } from './key-index.js';
import { NO_VALUE, type State } from './key-values.js';
import { duplicateKey } from './transaction-rules.js';

const COUNT = 2_000;
const LOOKS_EACH_MAX = 60;

class Looks {
  count = 0;

  /** `target`, each reading of whose `property` is counted. */
  at<Target extends object>(target: Target, property: keyof Target): Target {
    const value = target[property];
    return Object.defineProperty({ ...target }, property, {
      enumerable: true,
      get: () => {
        this.count += 1;
        return value;
      },
    });
  }
}

describe('the cost', () => {
  it('of finding a key that is changed twice grows with the operations, not with puts times deletions', () => {
    const looks = new Looks();
    const name = (i: number): string => String(i).padStart(8, '0');
    const remove = { kind: 'delete', wantsPrevious: false } as const;
    const operations = Array.from({ length: COUNT }, (_, i): Operation[] => [
      { kind: 'put', key: `p/${name(i)}`, value: NO_VALUE, lease: 0, wantsPrevious: false },
      looks.at({ ...remove, key: `d/${name(i)}`, rangeEnd: null }, 'key'),
      looks.at({ ...remove, key: `r/${name(i)}`, rangeEnd: `r/${name(i)}x` }, 'key'),
    ]).flat();
    expect(duplicateKey(operations)).toBeNull();
    expect(looks.count).toBeLessThan(COUNT * LOOKS_EACH_MAX);
  });

  it('of a read of the past grows with the logarithm of the history', () => {
    const looks = new Looks();
    const index = new KeyIndex();
    for (let revision = 1; revision <= COUNT; revision++) {
      const state: State = {
        key: 'k',
        modRevision: revision,
        createRevision: 1,
        version: revision,
        packed: '',
        lease: 0,
      };
      index.append(looks.at(state, 'modRevision'));
    }
    looks.count = 0;
    for (let revision = 1; revision <= COUNT; revision++) {
      expect(index.liveAt('k', revision)?.version).toBe(revision);
    }
    expect(index.liveAt('k', 0)).toBeUndefined();
    expect(looks.count).toBeLessThan(COUNT * LOOKS_EACH_MAX);
  });
});
