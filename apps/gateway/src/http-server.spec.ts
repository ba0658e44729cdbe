import { describe, expect, it } from '@jest/globals';
import { connectionsMax } from './http-server.js';

describe('connectionsMax', () => {
  it.each([
    [null, Number.POSITIVE_INFINITY],
    [64, 32],
    [256, 128],
    [20_000, 19_872],
  ])('keeps descriptors for all else: of %j, %d are for clients', (descriptors, connections) => {
    expect(connectionsMax(descriptors)).toBe(connections);
  });
});
