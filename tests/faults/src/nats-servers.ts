/**
 * Any one of three nats-servers is stopped or killed: whoever was at it goes on at another, and nobody is without answers
 * for long.
 */
import { expect, it } from '@jest/globals';
import type { RunningCluster } from './loaded-cluster.js';

const SCENARIO_MS = 240_000;
/** Much longer than it takes to notice: whoever has an answer sooner had it from another server. */
const PAUSE_MS = 5_000;

export function natsServers(running: RunningCluster): void {
  it.each(['nats-server-1', 'nats-server-2', 'nats-server-3'])(
    '%s stops for a while, and is killed',
    async (member) => {
      const paused = await running().survive(`pause-${member}`, () => running().pause(member, PAUSE_MS));
      const killed = await running().survive(`kill-${member}`, () => running().killAndWait(member));
      for (const { longestSilenceMs } of [paused, killed]) expect(longestSilenceMs).toBeLessThan(PAUSE_MS);
    },
    SCENARIO_MS,
  );
}
