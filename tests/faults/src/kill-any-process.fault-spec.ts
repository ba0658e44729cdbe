/**
 * `kill -9` of any single process under a steady mixed load: it comes back and catches up, nothing acknowledged is lost or
 * undone, and every error that clients saw was honest.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readCluster } from './cluster-facts.js';
import { LoadedCluster } from './loaded-cluster.js';

const START_MS = 240_000;
const SCENARIO_MS = 120_000;

describe('kill -9 under load', () => {
  let loaded: LoadedCluster;

  beforeAll(async () => {
    loaded = await LoadedCluster.start();
  }, START_MS);
  afterAll(() => loaded.dispose(), START_MS);

  const members = ['shard-1', 'shard-2', 'gateway-1', 'failure-detector-1', 'postgres-1', 'nats-server'];
  it.each(members)(
    '%s',
    async (member) => {
      const { operations } = await loaded.survive(`kill-${member}`, () => loaded.killAndWait(member));
      expect(operations).toBeGreaterThan(0);
    },
    SCENARIO_MS,
  );

  it(
    'shards, each as soon as the one before serves again',
    async () => {
      await loaded.survive('kill-in-succession', async () => {
        for (const member of ['shard-1', 'shard-2', 'shard-3', 'shard-1', 'shard-3'])
          await loaded.killAndWait(member);
      });
    },
    SCENARIO_MS,
  );

  it(
    'two at once, of two kinds',
    async () => {
      const { coordinator } = await readCluster(loaded.url);
      const pairs = [
        [coordinator.leader, 'nats-server'],
        ['shard-2', 'postgres-2'],
        ['shard-3', 'failure-detector-2'],
      ] as const;
      for (const pair of pairs)
        await loaded.survive(`kill-${pair.join('-and-')}`, () => loaded.killAndWait(...pair));
    },
    SCENARIO_MS,
  );

  it(
    "the coordinator's leader, and a follower",
    async () => {
      const { coordinator } = await readCluster(loaded.url);
      await loaded.survive('kill-coordinator-leader', () => loaded.killAndWait(coordinator.leader));
      const follower = coordinator.leader === 'coordinator-1' ? 'coordinator-2' : 'coordinator-1';
      await loaded.survive('kill-coordinator-follower', () => loaded.killAndWait(follower));
    },
    SCENARIO_MS,
  );
});
