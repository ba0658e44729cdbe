/**
 * Forty seconds of random kills, pauses and cuts of everything under load: at the end all is healthy by itself, nothing
 * acknowledged is lost or undone, and what every client saw is linearizable. `RINGLEADER_FAULTS_SEED` draws a run's faults again.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LoadedCluster } from './loaded-cluster.js';
import { RandomFaults } from './random-faults.js';

const START_MS = 240_000;
const SCENARIO_MS = 240_000;
const MIX_MS = 40_000;
const seed = Number(process.env['RINGLEADER_FAULTS_SEED'] ?? Date.now() % 1_000_000);

describe('a random mix of faults under load', () => {
  let loaded: LoadedCluster;

  beforeAll(async () => {
    loaded = await LoadedCluster.start({ cuttable: true, nats: 3 });
  }, START_MS);
  afterAll(() => loaded.dispose(), START_MS);

  it(
    `seed ${seed}`,
    async () => {
      const faults = new RandomFaults(loaded.cluster, seed);
      try {
        const { operations } = await loaded.survive('mix', () => faults.run(MIX_MS), { keys: 60 });
        expect(operations).toBeGreaterThan(0);
      } catch (error) {
        throw new Error(`with seed ${seed}:\n${faults.script.join('\n')}`, { cause: error });
      }
    },
    SCENARIO_MS,
  );
});
