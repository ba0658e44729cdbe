/**
 * Cut connections under load: a member that hears nothing of NATS or of its database, silently or with an error. Nothing
 * acknowledged is lost or undone, and when the connection is back so is the member.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import type { RunningCluster } from './loaded-cluster.js';

const SCENARIO_MS = 240_000;
/** The length of a cut is what these scenarios are about: longer than any lease, and than it takes to notice. */
const CUT_MS = 3_000;

export function cutLinks(running: RunningCluster): void {
  it.each([
    ['shard-1', 'nats', 'silent'],
    ['shard-2', 'nats', 'closed'],
    ['shard-3', 'postgres', 'silent'],
    ['shard-1', 'postgres', 'closed'],
    ['coordinator-1', 'nats', 'silent'],
    ['gateway-1', 'nats', 'silent'],
  ] as const)(
    '%s loses %s, %s',
    async (member, target, state) => {
      const { operations } = await running().survive(`cut-${member}-${target}-${state}`, async (cluster) => {
        await cluster.turn(member, target, state);
        await delay(CUT_MS);
        await cluster.turn(member, target, 'open');
      });
      expect(operations).toBeGreaterThan(0);
    },
    SCENARIO_MS,
  );
}
