import { describe, expect, it } from '@jest/globals';
import { CatchUp } from './catch-up.js';

const ticksMax = 3;

describe('CatchUp', () => {
  it('is true when a round took less than the time allowed, also while the log goes on growing', () => {
    const catchUp = new CatchUp(100);
    for (let tick = 0; tick < 10; tick += 1) catchUp.tick(50, 200, ticksMax);
    expect(catchUp.isCaughtUp).toBe(false);
    catchUp.reached(100, 210, ticksMax);
    expect(catchUp.isCaughtUp).toBe(false);
    catchUp.tick(150, 220, ticksMax);
    catchUp.reached(210, 220, ticksMax);
    expect(catchUp.isCaughtUp).toBe(true);
  });

  it('is lost again when a round takes longer', () => {
    const catchUp = new CatchUp(1);
    catchUp.reached(1, 5, ticksMax);
    expect(catchUp.isCaughtUp).toBe(true);
    for (let tick = 0; tick < ticksMax; tick += 1) catchUp.tick(4, 9, ticksMax);
    expect(catchUp.isCaughtUp).toBe(false);
  });

  it('stays true for who has everything while nothing happens', () => {
    const catchUp = new CatchUp(7);
    catchUp.reached(7, 7, ticksMax);
    for (let tick = 0; tick < 20; tick += 1) catchUp.tick(7, 7, ticksMax);
    expect(catchUp.isCaughtUp).toBe(true);
  });
});
