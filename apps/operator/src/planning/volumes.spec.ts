/** Volumes that cannot grow, or were never made. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { GOOD_IMAGES } from '../../test/world/cluster-of.js';
import { decided, kindsOf, messageOf, observed, settled, told } from '../../test/world/decided.js';
import { smallObjects } from '../../test/world/manifests.js';
import type { Story } from '../../test/world/story.js';
import { decide } from './decide.js';
import type { Decision } from './types.js';

let story: Story;
beforeEach(() => {
  story = settled();
});

describe('volumes', () => {
  it('lets no volume grow where its class does not, says so, and does all else', () => {
    story.world.kube.storageClass = 'fixed';
    story.world.edit((spec) => ({
      ...spec,
      shards: { ...spec.shards, replicas: 4, storage: { ...spec.shards.storage, size: '20Gi' } },
    }));
    story.world.tick();
    expect(kindsOf(decided(story))).not.toContain('growClaim');
    story.settle();
    const sizes = (): string[] =>
      observed(story)
        .claims.filter(({ component }) => component === 'shard')
        .map(({ ordinal, size }) => `${ordinal} ${size}`);
    expect(sizes()).toEqual(['1 10Gi', '2 10Gi', '3 10Gi', '4 20Gi']);
    expect(told(story, 'Progressing')).toEqual({ status: 'False', reason: 'VolumesCannotGrow' });
    expect(told(story, 'Degraded')).toEqual({ status: 'True', reason: 'VolumesCannotGrow' });
    expect(told(story, 'Available')).toMatchObject({ status: 'True' });
    expect(messageOf(story, 'Degraded')).toContain('standard');
    expect(messageOf(story, 'Degraded')).toContain('data-demo-shard-1 (10Gi), data-demo-shard-2 (10Gi)');
    story.world.kube.storageClass = 'growing';
    story.world.tick();
    story.settle();
    expect(sizes()).toEqual(['1 20Gi', '2 20Gi', '3 20Gi', '4 20Gi']);
    expect(told(story, 'Degraded')).toMatchObject({ status: 'False' });
  });

  it('takes along claims without a volume when a cluster is deleted whose volumes are kept', () => {
    const { cluster, claims, ...look } = observed(story);
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    const deleted = { ...cluster, metadata: { ...cluster.metadata, deletionTimestamp } };
    const endOf = (bound: (ordinal: number) => boolean): Decision => {
      const left = claims.map((claim) => ({ ...claim, isBound: bound(claim.ordinal) }));
      const seen = { ...look, cluster: deleted, claims: left, workloads: {}, pods: [] };
      return decide(seen, smallObjects);
    };
    const { actions } = endOf((ordinal) => ordinal < 3);
    const gone = actions.flatMap((action) => (action.kind === 'deleteClaim' ? [action.claim] : []));
    expect(gone.sort()).toEqual(['data-demo-coordinator-3', 'data-demo-shard-3']);
    expect(kindsOf(endOf(() => true))).toEqual(['removeFinalizer']);
  });

  it('goes on with all else while volumes may not grow, and says so until they do', () => {
    story.world.canVolumesGrow = false;
    story.world.edit((spec) => ({
      ...spec,
      images: { ...spec.images, ringleader: GOOD_IMAGES[1] },
      shards: { ...spec.shards, replicas: 4, storage: { size: '20Gi' } },
    }));
    story.settle(200);
    story.world.edit((spec) => ({ ...spec, shards: { ...spec.shards, replicas: 3 } }));
    story.world.loseVolume(0);
    story.settle(200);
    const { pods, claims, data, cluster } = observed(story);
    expect(data?.coordinators.members.every(({ reachable }) => reachable)).toBe(true);
    expect(data?.shards.map(({ shard }) => shard).sort()).toEqual(['shard-1', 'shard-2', 'shard-3']);
    expect(claims.filter(({ component }) => component === 'shard')).toHaveLength(3);
    expect(pods.filter(({ isReady }) => !isReady)).toEqual([]);
    const degraded = cluster.status?.conditions?.find(({ type }) => type === 'Degraded');
    expect(degraded).toMatchObject({ status: 'True', reason: 'Refused', message: 'growClaim is refused' });
    story.ends();
  });
});
