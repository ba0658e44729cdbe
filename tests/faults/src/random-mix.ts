/**
 * Half a minute of random kills, pauses and cuts of everything under load: at the end all is healthy by itself, nothing
 * acknowledged is lost or undone, and what every client saw is linearizable. `RINGLEADER_FAULTS_SEED` draws a run's faults again.
 */
import { expect, it } from '@jest/globals';
import type { RunningCluster } from './loaded-cluster.js';
import { RandomFaults } from './random-faults.js';

const SCENARIO_MS = 240_000;
const MIX_MS = 30_000;
const seed = Number(process.env['RINGLEADER_FAULTS_SEED'] ?? Date.now() % 1_000_000);

export function randomMix(running: RunningCluster): void {
  it(
    `seed ${seed}`,
    async () => {
      const faults = new RandomFaults(running().cluster, seed);
      try {
        const { operations } = await running().survive('mix', () => faults.run(MIX_MS), { keys: 60 });
        expect(operations).toBeGreaterThan(0);
      } catch (error) {
        throw new Error(`${String(error)}\nwith seed ${seed}:\n${faults.script.join('\n')}`, {
          cause: error,
        });
      }
    },
    SCENARIO_MS,
  );
}
