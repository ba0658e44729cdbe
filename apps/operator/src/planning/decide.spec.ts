/** The order in which things are done: one case each. That all of it is safe: planning.property.spec.ts. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { decided, kindsOf, messageOf, observed, settled, told } from '../../test/world/decided.js';
import { smallObjects } from '../../test/world/manifests.js';
import { Story } from '../../test/world/story.js';
import { FRESH } from '../../test/world/world.js';
import { decide } from './decide.js';
import type { Observed } from './types.js';

let story: Story;
beforeEach(() => {
  story = settled();
});

describe('decide', () => {
  it('begins with the finalizer, then makes what is there before the coordinators, who wait for their numbers', () => {
    story = new Story();
    expect(kindsOf(decided(story))).toEqual(['addFinalizer']);
    story.reconcile(FRESH, 1_000);
    story.world.tick();
    const made = decided(story).actions.map((action) =>
      action.kind === 'apply' ? `${action.manifest.kind}/${action.manifest.metadata.name}` : action.kind,
    );
    expect(made).toContain('ConfigMap/demo-coordinator');
    expect(made).not.toContain('StatefulSet/demo-coordinator');
  });

  it('is silent about a cluster that is as it is described, and tells so', () => {
    const decision = decided(story);
    expect(decision.actions).toEqual([]);
    expect(decision.status).toEqual(observed(story).cluster.status);
    expect(told(story, 'Available')).toEqual({ status: 'True', reason: 'AsExpected' });
    expect(told(story, 'Progressing')).toEqual({ status: 'False', reason: 'AsExpected' });
    expect(told(story, 'Degraded')).toEqual({ status: 'False', reason: 'AsExpected' });
    expect(decision.status).toMatchObject({ ready: '11/11', phase: 'Running', leader: 'coordinator-1' });
    expect(decision.status.shards?.selector).toContain('app.kubernetes.io/component=shard');
  });

  it('gives nothing up by the word of another group than before, until a person says that it is the one', () => {
    const look = observed(story);
    const { cluster, data, pods } = look;
    // Restored from a snapshot of before the third shard came.
    const restored: Observed = {
      ...look,
      pods: pods.map((pod) => (pod.name === 'demo-shard-3' ? { ...pod, isReady: false } : pod)),
      data: data && {
        ...data,
        clusterId: 'restored',
        shards: data.shards.filter(({ shard }) => shard !== 'shard-3'),
      },
    };
    const decision = decide(restored, smallObjects);
    expect(kindsOf(decision)).toEqual([]);
    expect(decision.status.clusterId).toBe(cluster.status?.clusterId);
    const degraded = decision.status.conditions?.find(({ type }) => type === 'Degraded');
    expect(degraded).toMatchObject({ status: 'True', reason: 'OtherCluster' });
    const annotations = { 'ringleader.io/cluster-id': 'restored' };
    const said = { ...cluster, metadata: { ...cluster.metadata, annotations } };
    const after = decide({ ...restored, cluster: said }, smallObjects);
    expect(kindsOf(after)).toContain('deleteClaim');
    expect(after.status.clusterId).toBe('restored');
    // Of a cluster that was begun anew nothing is left that could be given up.
    const anew = look.claims.map((claim) => ({ ...claim, isFounded: false }));
    expect(decide({ ...restored, claims: anew }, smallObjects).status.clusterId).toBe('restored');
  });

  it('refuses to drain what the replication factor needs, and goes on with everything else', () => {
    story.world.edit((spec) => ({ ...spec, shards: { ...spec.shards, replicas: 4 } }));
    story.settle();
    const { world } = story;
    world.edit((spec) => ({
      ...spec,
      shards: { ...spec.shards, replicas: 3 },
      gateways: { ...spec.gateways, replicas: 2 },
    }));
    world.kube.pods.delete('demo-shard-2');
    world.tick();
    expect(told(story, 'Degraded')).toMatchObject({ status: 'True' });
    expect(messageOf(story, 'Progressing')).toContain('shard-4 is not drained: without it 2 shards');
    const decision = decided(story);
    expect(kindsOf(decision)).toEqual(['apply']);
    expect(JSON.stringify(decision.actions)).toContain('demo-gateway');
  });

  it.each(['coordinator', 'shard'] as const)(
    'makes no pod of a %s that was removed again, though nobody answers before its volume is gone',
    (component) => {
      const { world } = story;
      const wants = (replicas: number): void =>
        story.play([{ kind: component === 'shard' ? 'shards' : 'coordinators', replicas }]);
      wants(5);
      story.settle();
      wants(3);
      const isHere = (): boolean => (observed(story).workloads[component]?.replicas ?? 0) === 5;
      for (let round = 0; round < 60 && isHere(); round++) story.play([{ kind: 'round' }]);
      expect(world.kube.claims.has(`data-demo-${component}-5`)).toBe(true);
      world.kube.storageClass = 'missing';
      for (const name of ['demo-coordinator-1', 'demo-coordinator-2', 'demo-coordinator-3'])
        world.kube.claims.get(`data-${name}`)!.isBound = false;
      world.kube.pods.clear();
      story.settle(30);
      expect(observed(story).data).toBeNull();
      expect(world.kube.workload(component)?.replicas).toBe(4);
      world.kube.storageClass = 'growing';
      story.ends();
    },
  );

  it('deletes Certificates before the Secrets that would be issued for them again', () => {
    const { cluster, ...look } = observed(story);
    const metadata = { ...cluster.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    const gone = (deletionPolicy: 'Retain' | 'Delete', refs: readonly string[]): string[] => {
      const seen = { uid: 'u', appliedHash: '', isAsApplied: true };
      const objects = Object.fromEntries(refs.map((ref) => [ref, seen]));
      const deleted = { ...cluster, metadata, spec: { ...cluster.spec, deletionPolicy } };
      const left = { ...look, cluster: deleted, objects, claims: [], workloads: {}, pods: [] };
      return decide(left, smallObjects).actions.map((action) =>
        action.kind === 'deleteObject' ? `${action.ref.kind}/${action.ref.name}` : action.kind,
      );
    };
    const all = ['Secret/demo-nats-tls', 'Certificate/demo-nats-tls', 'ConfigMap/demo-authority'];
    expect(gone('Delete', all)).toEqual(['Certificate/demo-nats-tls']);
    expect(gone('Delete', ['Secret/demo-nats-tls'])).toEqual(['Secret/demo-nats-tls']);
    expect(gone('Delete', [])).toEqual(['removeFinalizer']);
    expect(gone('Retain', all)).toEqual(['removeFinalizer']);
  });
});
