/**
 * Coordinators are killed, stopped and cut off under load, the leader too and two at once, while their group grows from three to five
 * and shrinks to three, and one of them loses its disk: what clients were told is linearizable, watches keep to what they promise,
 * nothing acknowledged is lost, all have the same in the end, and no process gave up. `RINGLEADER_FAULTS_SEED=7,8` draws these
 * seeds, for longer.
 */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { startLocalCluster, type LocalClusterHandle } from '@ringleader/testing-local-cluster';
import { CoordinatorFaults } from './coordinators/faults.js';
import { judge } from './coordinators/judge.js';
import { CoordinatorLoad } from './coordinators/load.js';
import { CoordinatorOperator } from './coordinators/operator.js';

const START_MS = 240_000;
const SCENARIO_MS = 600_000;
const GIVEN = process.env['RINGLEADER_FAULTS_SEED'];
const SEEDS = GIVEN === undefined ? [Date.now() % 1_000_000] : GIVEN.split(',').map(Number);
const ROUNDS = GIVEN === undefined ? 1 : 3;
/** What a member says that was taken out of the group, or whose disk was thrown away. */
const RIGHTLY_ENDED: ReadonlySet<string> = new Set(['MEMBER_REMOVED', 'LOG_MISSING']);

describe('coordinators that change while they are disturbed', () => {
  let cluster: LocalClusterHandle;

  beforeAll(async () => {
    cluster = await startLocalCluster({ cuttable: true });
  }, START_MS);
  afterAll(() => cluster.dispose(), START_MS);

  it.each(SEEDS)(
    'seed %d',
    async (seed) => {
      const script: string[] = [];
      const startedAt = performance.now();
      const note = (what: string): number =>
        script.push(`${(performance.now() - startedAt).toFixed(0)} ms: ${what}`);
      const operator = new CoordinatorOperator(cluster, seededPrng(2 * seed), note);
      const faults = new CoordinatorFaults(cluster, seededPrng(2 * seed + 1), note);
      const { natsUrl } = await cluster.state();
      const load = await CoordinatorLoad.start({ natsUrl, dataFolder: cluster.dataFolder }, seed);
      try {
        let isOver = false;
        const changed = (async () => {
          for (let round = 0; round < ROUNDS; round += 1) await operator.round();
        })().finally(() => (isOver = true));
        await Promise.all([
          changed,
          faults.runUntil(
            () => isOver,
            () => operator.steps,
          ),
        ]);
        await cluster.untilHealthy();
        await load.stop();
        expect(
          judge(
            load.history,
            load.watchers.map(({ deliveries }) => deliveries),
          ),
        ).toEqual([]);
        expect(load.watchers.map(({ ended }) => ended)).toEqual(load.watchers.map(() => null));
        expect(load.dishonest).toEqual([]);
        expect(load.acknowledged).toBeGreaterThan(0);
        expect(await operator.haveTheSame()).toMatchObject({ ok: true });
        expect(await gaveUp(cluster)).toEqual([]);
        if (GIVEN !== undefined) process.stdout.write(`${load.acknowledged} writes\n${script.join('\n')}\n`);
      } catch (error) {
        throw new Error(`with seed ${seed}:\n${script.join('\n')}`, { cause: error });
      } finally {
        await load.close();
      }
    },
    SCENARIO_MS,
  );
});

/** What processes said last that should have gone on. */
async function gaveUp(cluster: LocalClusterHandle): Promise<string[]> {
  const { processes } = await cluster.state();
  const services = processes.filter(({ service }) => !['nats-server', 'postgres'].includes(service));
  const logs = await Promise.all(services.map(({ log }) => readFile(log, 'utf8')));
  return logs
    .flatMap((log) => log.split('\n'))
    .filter((line) => /"level":"fatal"/.test(line))
    .filter((line) => !RIGHTLY_ENDED.has((JSON.parse(line) as { code?: string }).code ?? ''));
}
