import { COMPARED, COMPARED_PURGES } from '../profiles/compared.js';
import type { Control } from './control.js';

/** docs/PROTOCOL.md 4.13. */
export const VERIFICATION_CONTROLS: readonly Control[] = [
  {
    name: 'RowFlipped',
    broken: 'none: a byte of a row is changed in one database, which must be found',
    rules: {},
    flipsRows: true,
    profile: COMPARED,
    caughtBy: 'verification',
  },
  {
    name: 'VerifyPastLeast',
    broken: 'rows that a replica has written since another one was read count as differences',
    rules: { writtenSince: () => false },
    profile: COMPARED,
    caughtBy: 'verification',
  },
  {
    name: 'VerifyForgetsPurge',
    broken: 'a tombstone that is purged at one replica and not yet at another counts as a difference',
    rules: { mayBePurged: () => false, isPurgeable: () => false },
    profile: COMPARED_PURGES,
    caughtBy: 'verification',
  },
  {
    name: 'MendsBlindly',
    broken: 'what was written meanwhile counts, and is mended though the row is another one by then',
    rules: { writtenSince: () => false, mayMend: () => true },
    profile: COMPARED,
    caughtBy: 'rows of a position',
  },
];
