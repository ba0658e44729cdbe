import { describe, expect, it } from '@jest/globals';
import { MalformedBytesError } from '@ringleader/primitives';
import { configurationOf, emptyConfiguration } from '../membership/configuration.js';
import type { Configuration } from '../types.js';
import { decodeConfiguration, encodeConfiguration, tryDecodeConfiguration } from './configuration-codec.js';

const seated = (id: number): { id: number; seat: number } => ({ id, seat: id });

describe('the codec of configurations', () => {
  it('writes and reads the bytes that are recorded', () => {
    const configuration: Configuration = {
      voters: [
        { seat: 1, id: 300 },
        { seat: 2, id: 2 },
      ],
      outgoing: [{ seat: 3, id: 5 }],
      learners: [{ seat: 2, id: 9, replaces: 2, isPromotedItself: true }],
      removed: [7, 2 ** 52],
    };
    const bytes = encodeConfiguration(configuration);
    const recorded = '010201ac020202010305010209020102078080808080808008';
    expect(Buffer.from(bytes).toString('hex')).toBe(recorded);
    expect(decodeConfiguration(bytes)).toEqual(configuration);
    expect(decodeConfiguration(encodeConfiguration(emptyConfiguration))).toEqual(emptyConfiguration);
  });

  it.each<[string, Configuration]>([
    ['an id that nobody has', configurationOf([{ seat: 1, id: 0 }])],
    ['a seat that is none', configurationOf([{ seat: 0, id: 1 }])],
    ['a voter twice', configurationOf([seated(1), seated(1)])],
    [
      'learners without voters',
      { ...emptyConfiguration, learners: [{ ...seated(1), replaces: 0, isPromotedItself: false }] },
    ],
    [
      'one that is voter and learner',
      {
        ...configurationOf([seated(1)]),
        learners: [{ ...seated(1), replaces: 0, isPromotedItself: false }],
      },
    ],
    ['a member that was removed', { ...configurationOf([seated(1)]), removed: [1] }],
  ])('refuses %s', (_, configuration) => {
    expect(() => decodeConfiguration(encodeConfiguration(configuration))).toThrow(MalformedBytesError);
  });

  it('refuses what is no configuration', () => {
    const bytes = encodeConfiguration(configurationOf([seated(1)]));
    expect(tryDecodeConfiguration(bytes.subarray(0, -1))).toBeNull();
    expect(tryDecodeConfiguration(Uint8Array.of(...bytes, 0))).toBeNull();
    expect(tryDecodeConfiguration(Uint8Array.of(2, ...bytes.subarray(1)))).toBeNull();
  });
});
