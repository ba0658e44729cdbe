import { describe, expect, it } from '@jest/globals';
import { RevisionAges } from './revision-ages.js';

describe('RevisionAges', () => {
  it('know what was the newest revision so long ago', () => {
    const ages = new RevisionAges(10);
    expect(ages.reachedBefore(100, 1_000)).toBeNull();
    for (let i = 0; i <= 30; i++) ages.note(i, 1_000 + i * 10);
    expect(ages.reachedBefore(500, 1_300)).toBeNull();
    expect(ages.reachedBefore(100, 1_300)).toBe(20);
    expect(ages.reachedBefore(100, 1_300)).toBe(20);
    expect(ages.reachedBefore(95, 1_304)).toBe(20);
    expect(ages.reachedBefore(0, 1_300)).toBe(30);
    expect(ages.reachedBefore(0, 9_999)).toBe(30);
  });

  it('err on the side of keeping', () => {
    const ages = new RevisionAges(10);
    ages.note(1, 1_000);
    ages.note(7, 1_009);
    expect(ages.reachedBefore(0, 1_009)).toBe(1);
    ages.note(8, 1_010);
    expect(ages.reachedBefore(1, 1_010)).toBe(1);
    expect(ages.reachedBefore(0, 1_010)).toBe(8);
  });
});
