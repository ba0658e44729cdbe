import { expect, it } from '@jest/globals';
import { RESTORED_REVISION_LEAP, compactedError } from './compacted.js';

it('tells what was compacted from what was before a restore', () => {
  expect(compactedError(17, 18)).toMatchObject({
    code: 'COMPACTED',
    message: 'Revision 17 is no longer kept: the oldest that is kept is 18',
    details: { compactedRevision: 18 },
  });
  // Of a snapshot at 20 that was restored; 30 was seen after the snapshot.
  expect(compactedError(30, 20 + RESTORED_REVISION_LEAP)).toMatchObject({
    code: 'COMPACTED',
    message: expect.stringContaining('restored from a snapshot: the cluster has another id now'),
    details: { compactedRevision: 1_000_000_020, restored: true },
  });
});
