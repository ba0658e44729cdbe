import { describe, expect, it } from '@jest/globals';
import { PROBLEM_FIELDS } from '@ringleader/contracts';
import { REFUSAL_FIELDS, type RefusalCode } from '@ringleader/placement';

const CODES = Object.keys(REFUSAL_FIELDS) as RefusalCode[];
/** Others refuse with these, too, and tell more. */
const SHARED: ReadonlySet<RefusalCode> = new Set(['UNAVAILABLE', 'PRECONDITION_FAILED', 'ALREADY_SO']);

describe('what a refusal of placement tells', () => {
  it.each(CODES)('%s: what clients are promised', (code) => {
    const [told, promised]: string[][] = [[...REFUSAL_FIELDS[code]], [...PROBLEM_FIELDS[code]]];
    expect(promised).toEqual(SHARED.has(code) ? expect.arrayContaining(told!) : told);
  });
});
