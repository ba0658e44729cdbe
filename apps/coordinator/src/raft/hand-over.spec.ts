import { describe, expect, it } from '@jest/globals';
import { configurationOf } from '@ringleader/raft';
import { handOver } from './hand-over.js';

/** A node that leads until one of its attempts succeeds, which they do as `attempts` says. */
function nodeWith({ seats = [1, 2, 3], role = 'leader', attempts = [] as boolean[] }) {
  const asked: number[] = [];
  const configuration = configurationOf(seats.map((seat) => ({ id: seat, seat })));
  const node = {
    status: () => ({ role }),
    group: () => ({ id: 1, configuration }),
    transferLeadership: (timeoutMs: number) => {
      asked.push(timeoutMs);
      return Promise.resolve(attempts.shift() ?? false);
    },
  };
  return { asked, node: node as unknown as Parameters<typeof handOver>[0] };
}

describe('handOver', () => {
  it('tries again where nobody could take the leadership yet', async () => {
    const { node, asked } = nodeWith({ attempts: [false, true] });
    expect(await handOver(node, 20_000)).toBe(true);
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['of one that follows', { role: 'follower' }],
    ['of one that is alone', { seats: [1] }],
  ])('has nothing to do %s', async (_whose, made) => {
    const { node, asked } = nodeWith(made);
    expect(await handOver(node, 20_000)).toBe(false);
    expect(asked).toEqual([]);
  });

  it('gives up in time, and never asks for longer than there is left', async () => {
    const { node, asked } = nodeWith({});
    expect(await handOver(node, 150)).toBe(false);
    expect(Math.max(...asked)).toBeLessThanOrEqual(150);
  });
});
