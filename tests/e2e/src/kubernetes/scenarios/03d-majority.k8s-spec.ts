/**
 * Two of three shards lose their volumes at once: nobody gives up by itself what only they may have had, until a person lets the
 * cluster go on with what is left. In a namespace of its own: its revisions have leapt afterwards.
 */
import { expect } from '@jest/globals';
import type { ClusterView } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import type { RestAnswer, RestClient } from '@ringleader/testing-workload';
import { UNANSWERED, answerTo, type ClusterUnderTest } from '../harness/cluster-under-test.js';
import { environment } from '../harness/environment.js';
import { onKubernetes } from '../harness/given.js';
import { scenario } from '../harness/scenario.js';

const LOST = ['shard-2', 'shard-3'];
const KEYS = 200;
const CHANGE_MS = 300_000;
const COMMAND_MS = 30_000;
/** Told of a recovery that cannot be done yet, or of which nobody could say whether it was. */
const NOT_YET = ['SHARD_NOT_DOWN', 'NOTHING_TO_RECOVER', 'OUTCOME_UNKNOWN', ...UNANSWERED];

const keyOf = (at: number): string => `majority/${String(at)}`;

const recover = (client: RestClient, body: object): Promise<RestAnswer> =>
  client.request('POST', '/v1/cluster/partitions:recover', { lost: LOST, ...body }, COMMAND_MS);

const shardsOf = async (cluster: ClusterUnderTest): Promise<ClusterView['partitionMap']> =>
  (await cluster.ask<ClusterView>('/v1/cluster')).partitionMap;

const isWrittenDown = async (cluster: ClusterUnderTest): Promise<boolean> => {
  const { items } = await cluster.ask<{ items: { kind: string }[] }>('/v1/cluster/incidents');
  return items.some(({ kind }) => kind === 'MAJORITY_LOST');
};

onKubernetes('majority', { namespace: `${environment.namespace}-majority` }, (of) => {
  scenario('two of three shards lose their volumes for good', of, async ({ cluster, line }) => {
    const client = await cluster.client(4);
    for (let at = 0; at < KEYS; at += 1)
      expect(await answerTo(keyOf(at), () => client.put(keyOf(at), String(at)))).toMatchObject({ code: '' });
    const tried = await answerTo('a recovery', () => recover(client, { dryRun: true }));
    expect(tried).toMatchObject({ code: 'SHARD_NOT_DOWN' });
    expect(await isWrittenDown(cluster)).toBe(false);

    await Promise.all(
      LOST.map(async (shard) => cluster.loseVolume(await cluster.pod(`${cluster.name}-${shard}`))),
    );
    line.mark('two volumes are gone');
    // Their pods come back, find that their databases are empty, and end again: without them there is no majority.
    const recovered = async (): Promise<boolean> => {
      const { status, code } = await recover(client, { acceptDataLoss: true });
      if (status === 200) return true;
      expect(NOT_YET).toContain(code);
      // What was done by an attempt whose answer was lost is not there to be done by the next.
      return code === 'NOTHING_TO_RECOVER' && (await isWrittenDown(cluster));
    };
    await until('a person could recover', recovered, { timeoutMs: CHANGE_MS, everyMs: 250 });
    line.mark('recovered');
    const isServed = async (): Promise<boolean> => (await shardsOf(cluster)).withoutLeader === 0;
    await until('all partitions have a leader', isServed, { timeoutMs: CHANGE_MS, everyMs: 250 });
    line.mark('all partitions have a leader');
    await cluster.untilSettled(CHANGE_MS);
    line.mark('three replicas of each');
    // The one that was left had passed all of it: nothing else was under way.
    for (let at = 0; at < KEYS; at += 1) {
      const { status, body } = await answerTo(keyOf(at), () => client.get(keyOf(at)));
      expect([at, status, body.toString()]).toEqual([at, 200, String(at)]);
    }
    expect(await isWrittenDown(cluster)).toBe(true);
    await client.close();
  });
});
