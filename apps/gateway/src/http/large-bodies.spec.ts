import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { LargeBodies } from './large-bodies.js';

const KIB = 1024;

function entrance(bodies: LargeBodies): {
  readonly begun: string[];
  readonly enter: (name: string, kib: number) => () => void;
} {
  const begun: string[] = [];
  return { begun, enter: (name, kib) => bodies.enter(kib * KIB, () => begun.push(name)) };
}

describe('LargeBodies', () => {
  it('lets so many bytes of them begin at once, and the others in their order', () => {
    const { begun, enter } = entrance(new LargeBodies(1_000 * KIB));
    const [first, second] = ['a', 'b', 'c', 'd'].map((name) => enter(name, 400));
    expect(begun).toEqual(['a', 'b']);
    second?.();
    expect(begun).toEqual(['a', 'b', 'c']);
    first?.();
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('never lets what is small wait, nor a body for ever that is larger than all turns', () => {
    const { begun, enter } = entrance(new LargeBodies(1_000 * KIB));
    const huge = enter('huge', 8_000);
    enter('large', 100);
    enter('small', 1);
    expect(begun).toEqual(['huge', 'small']);
    huge();
    expect(begun).toEqual(['huge', 'small', 'large']);
  });

  it('forgets who goes away while it waits', () => {
    const bodies = new LargeBodies(1_000 * KIB);
    const { begun, enter } = entrance(bodies);
    const first = enter('a', 900);
    const gone = enter('b', 900);
    enter('c', 900);
    gone();
    first();
    expect([begun, bodies.waitingCount]).toEqual([['a', 'c'], 0]);
  });

  it('keeps to its bytes, and lets everybody begin, whoever ends when', () => {
    const random = seededPrng(5);
    const bodies = new LargeBodies(2_000 * KIB);
    const underWay = new Map<number, number>();
    const leaves = new Map<number, () => void>();
    let begun = 0;
    for (let i = 0; i < 500; i += 1) {
      const bytes = (64 + random.nextBelow(1_500)) * KIB;
      const leave = bodies.enter(bytes, () => {
        begun += 1;
        underWay.set(i, bytes);
      });
      leaves.set(i, leave);
      const total = [...underWay.values()].reduce((sum, each) => sum + each, 0);
      expect(total).toBeLessThanOrEqual(2_000 * KIB);
      const over = [...underWay.keys()][random.nextBelow(3)];
      if (over !== undefined) {
        underWay.delete(over);
        leaves.get(over)?.();
      }
    }
    while (underWay.size > 0) {
      const [over] = [...underWay.keys()];
      underWay.delete(over as number);
      leaves.get(over as number)?.();
    }
    expect([begun, bodies.waitingCount]).toEqual([500, 0]);
  });
});
