/**
 * Any one of three nats-servers is stopped or killed: whoever was at it goes on at another, and nobody is without answers
 * for long.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LoadedCluster } from './loaded-cluster.js';

const START_MS = 240_000;
const SCENARIO_MS = 120_000;
/** Much longer than it takes to notice. */
const PAUSE_MS = 5_000;
const SILENCE_MS_MAX = 2_000;

describe('one of three nats-servers under load', () => {
  let loaded: LoadedCluster;

  beforeAll(async () => {
    loaded = await LoadedCluster.start({ nats: 3 });
  }, START_MS);
  afterAll(() => loaded.dispose(), START_MS);

  it.each(['nats-server-1', 'nats-server-2', 'nats-server-3'])(
    '%s stops for a while, and is killed',
    async (member) => {
      const paused = await loaded.survive(`pause-${member}`, () => loaded.pause(member, PAUSE_MS));
      const killed = await loaded.survive(`kill-${member}`, () => loaded.killAndWait(member));
      for (const { longestSilenceMs } of [paused, killed])
        expect(longestSilenceMs).toBeLessThan(SILENCE_MS_MAX);
    },
    SCENARIO_MS,
  );
});
