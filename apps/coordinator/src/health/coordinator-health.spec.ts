import { describe, expect, it } from '@jest/globals';
import { notReadyReasons } from './coordinator-health.js';

describe('notReadyReasons', () => {
  it('has none for a member that knows a leader and keeps up', () => {
    expect(notReadyReasons({ leader: 2, commitIndex: 10, appliedIndex: 9, isDiskFull: false })).toEqual([]);
  });

  it('names each of them', () => {
    expect(notReadyReasons({ leader: 0, commitIndex: 20_000, appliedIndex: 1, isDiskFull: true })).toEqual([
      'no leader of the coordinators is known',
      expect.stringMatching(/^diskFull: /),
      '19999 committed entries wait to be applied',
    ]);
  });
});
