/**
 * `kill -9` of any single process under a steady mixed load: it comes back and catches up, nothing acknowledged is lost or
 * undone, and every error that clients saw was honest. Of one that is told to stop clients hear of no error at all.
 */
import { expect, it } from '@jest/globals';
import { readCluster } from './cluster-facts.js';
import type { RunningCluster } from './loaded-cluster.js';

const SCENARIO_MS = 240_000;
/** Whoever waits is answered, on a machine with other work, too. */
const PATIENT_MS = 60_000;

export function killAnyProcess(running: RunningCluster): void {
  const members = ['shard-1', 'shard-2', 'gateway-1', 'failure-detector-1', 'postgres-1', 'nats-server'];
  it.each(members)(
    '%s',
    async (member) => {
      const { operations } = await running().survive(`kill-${member}`, () => running().killAndWait(member));
      expect(operations).toBeGreaterThan(0);
    },
    SCENARIO_MS,
  );

  it(
    'shards, each as soon as the one before serves again',
    async () => {
      await running().survive('kill-in-succession', async () => {
        for (const member of ['shard-1', 'shard-2', 'shard-3', 'shard-1', 'shard-3'])
          await running().killAndWait(member);
      });
    },
    SCENARIO_MS,
  );

  it(
    'two at once, of two kinds',
    async () => {
      const { coordinator } = await readCluster(running().url);
      const pairs = [
        [coordinator.leader, 'nats-server'],
        ['shard-2', 'postgres-2'],
        ['shard-3', 'failure-detector-2'],
      ] as const;
      for (const pair of pairs)
        await running().survive(`kill-${pair.join('-and-')}`, () => running().killAndWait(...pair));
    },
    SCENARIO_MS,
  );

  it(
    "the coordinator's leader, and a follower",
    async () => {
      const { coordinator } = await readCluster(running().url);
      await running().survive('kill-coordinator-leader', () => running().killAndWait(coordinator.leader));
      const follower = coordinator.leader === 'coordinator-1' ? 'coordinator-2' : 'coordinator-1';
      await running().survive('kill-coordinator-follower', () => running().killAndWait(follower));
    },
    SCENARIO_MS,
  );

  it(
    'shards, one after the other, and the leader of the coordinators, that are told to stop: no request fails',
    async () => {
      const { coordinator } = await readCluster(running().url);
      const members = ['shard-1', 'shard-2', coordinator.leader];
      const stopEach = async (): Promise<void> => {
        for (const member of members) await running().stopAndWait(member);
      };
      const { errors } = await running().survive('stop-in-succession', stopEach, { timeoutMs: PATIENT_MS });
      expect(errors).toBe(0);
    },
    SCENARIO_MS,
  );
}
