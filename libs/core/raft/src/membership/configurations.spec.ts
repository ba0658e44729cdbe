import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { encodeConfiguration } from '../codec/configuration-codec.js';
import { soundRules } from '../rules.js';
import { type Entry, entryKinds } from '../types.js';
import { configurationOf } from './configuration.js';
import { Configurations } from './configurations.js';

/** A configuration that tells where it stands. */
const named = (id: number): ReturnType<typeof configurationOf> => configurationOf([{ id, seat: 1 }]);

describe('Configurations', () => {
  it('agrees with reading the whole log again, whatever is appended, truncated, compacted and restored', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const random = seededPrng(seed);
      let base = { index: 0, configuration: named(1) };
      let log: Entry[] = [];
      const configurations = new Configurations(base, soundRules);
      const obvious = (upTo: number): unknown => {
        const last = log.findLast(({ index, kind }) => index <= upTo && kind === entryKinds.configuration);
        return last === undefined ? base.configuration : named(last.term);
      };
      for (let step = 1; step < 60; step += 1) {
        const lastIndex = base.index + log.length;
        const draw = random.nextBelow(8);
        if (draw === 0) {
          const index = base.index + random.nextBelow(log.length + 1);
          base = { index, configuration: configurations.at(index).configuration };
          expect(base.configuration).toEqual(obvious(index));
          log = log.filter((entry) => entry.index > index);
          configurations.compact(index);
        } else if (draw === 1) {
          base = { index: lastIndex + 5, configuration: named(1_000 + step) };
          log = [];
          configurations.restore(base);
        } else {
          const first = base.index + 1 + random.nextBelow(log.length + 1);
          const entries = Array.from({ length: 1 + random.nextBelow(4) }, (_, i): Entry => {
            const isConfiguration = random.nextBelow(3) === 0;
            const kind = isConfiguration ? entryKinds.configuration : entryKinds.command;
            const data = isConfiguration ? encodeConfiguration(named(step)) : new Uint8Array();
            return { index: first + i, term: step, kind, data };
          });
          log = [...log.filter(({ index }) => index < first), ...entries];
          configurations.put(entries);
        }
        expect(configurations.newest.configuration).toEqual(obvious(Number.POSITIVE_INFINITY));
      }
    }
  });
});
