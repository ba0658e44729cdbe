import { describe, expect, it } from '@jest/globals';
import { clusterOf } from '../../test/resources.fixtures.js';
import type { KubeApi, KubeObject } from '../kubernetes/kube-api.js';
import type { Action } from '../planning/types.js';
import type { Coordinators } from './data-plane.js';
import { Executor, type Known } from './executor.js';
import { NotNow } from './not-now.js';

const known: Known = {
  get: () => undefined,
  note: () => undefined,
  hasAlready: () => false,
  applied: () => undefined,
};

/** Answers what was deleted, and what the coordinators were asked. */
function executing(annotations: Record<string, string>) {
  const done: string[] = [];
  const cluster = clusterOf();
  const live: KubeObject = { metadata: { ...cluster.metadata, annotations } };
  const api = {
    find: () => Promise.resolve(live),
    delete: () => Promise.resolve(void done.push('deleted')),
    merge: (_place: object, { metadata }: { readonly metadata: { readonly annotations: object } }) => {
      done.push(JSON.stringify(metadata.annotations));
      return Promise.resolve(live);
    },
  } as unknown as KubeApi;
  const coordinators = {
    members: () => Promise.resolve({ members: [] }),
    range: () => Promise.resolve({ items: [{}] }),
    ask: (operation: string) => {
      if (operation === 'changePlacement') done.push('asked');
      return Promise.resolve({ shards: [{ shard: 'shard-1' }] });
    },
  } as unknown as Coordinators;
  return { done, scene: { cluster, coordinators }, executor: new Executor(api, known) };
}

describe('what cannot be taken back', () => {
  const actions = [
    { kind: 'deleteClaim', claim: 'data-demo-shard-4', uid: 'u', member: 'shard-4', why: '' },
    { kind: 'markRemoved', claim: 'data-demo-shard-4', uid: 'u', member: 'shard-4', why: '' },
    { kind: 'drainShard', shard: 'shard-4', ifEpoch: 1, why: '' },
  ] as const;

  it.each(actions)('is done: $kind', async (action) => {
    const { done, executor, scene } = executing({ 'ringleader.io/paused': 'false' });
    await executor.do(action, scene);
    expect(done).toHaveLength(1);
  });

  it.each(actions)(
    'is not done where the cluster was paused since it was looked at: $kind',
    async (action) => {
      const { done, executor, scene } = executing({ 'ringleader.io/paused': 'yes' });
      await expect(executor.do(action, scene)).rejects.toBeInstanceOf(NotNow);
      expect(done).toEqual([]);
    },
  );
});

describe('a mark of a claim', () => {
  it('says that its member was removed only where the coordinators say so', async () => {
    const { done, executor, scene } = executing({});
    const mark = { kind: 'markRemoved', claim: 'data-demo-shard-1', uid: 'u', member: 'shard-1', why: '' };
    await expect(executor.do(mark as Action, scene)).rejects.toBeInstanceOf(NotNow);
    expect(done).toEqual([]);
  });

  it('is taken back where somebody lives on it again', async () => {
    const { done, executor, scene } = executing({});
    await executor.do({ kind: 'markFounded', claims: ['data-demo-shard-1'], why: '' }, scene);
    expect(done).toEqual(['{"ringleader.io/founded":"true","ringleader.io/removed":null}']);
  });
});
