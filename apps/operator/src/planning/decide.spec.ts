/** What people are told, and the order in which things are done: one case each. That all of it is safe: planning.property.spec.ts. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Condition, ConditionType } from '@ringleader/contracts';
import { BAD_IMAGE, GOOD_IMAGES } from '../../test/world/cluster-of.js';
import { smallObjects } from '../../test/world/manifests.js';
import { Story } from '../../test/world/story.js';
import { FRESH } from '../../test/world/world.js';
import { decide } from './decide.js';
import type { Decision, Observed } from './types.js';

let story: Story;
const observed = (): Observed => {
  const look = story.world.observe(FRESH);
  if (look === null) throw new Error('there is a cluster');
  return look;
};
const decided = (): Decision => decide(observed(), smallObjects);
const kindsOf = ({ actions }: Decision): string[] => actions.map(({ kind }) => kind);
const told = (type: ConditionType): Partial<Condition> => {
  const condition = decided().status.conditions?.find((one) => one.type === type);
  if (condition === undefined) throw new Error(`${type} is told`);
  const { status, reason } = condition;
  return { status, reason };
};
const messageOf = (type: ConditionType): string =>
  decided().status.conditions?.find((one) => one.type === type)?.message ?? '';

beforeEach(() => {
  story = new Story();
  story.settle();
});

describe('decide', () => {
  it('begins with the finalizer, then makes what is there before the coordinators, who wait for their numbers', () => {
    story = new Story();
    expect(kindsOf(decided())).toEqual(['addFinalizer']);
    story.reconcile(FRESH, 1_000);
    story.world.tick();
    const made = decided().actions.map((action) =>
      action.kind === 'apply' ? `${action.manifest.kind}/${action.manifest.metadata.name}` : action.kind,
    );
    expect(made).toContain('ConfigMap/demo-coordinator');
    expect(made).not.toContain('StatefulSet/demo-coordinator');
  });

  it('is silent about a cluster that is as it is described, and tells so', () => {
    const decision = decided();
    expect(decision.actions).toEqual([]);
    expect(decision.status).toEqual(observed().cluster.status);
    expect(told('Available')).toEqual({ status: 'True', reason: 'AsExpected' });
    expect(told('Progressing')).toEqual({ status: 'False', reason: 'AsExpected' });
    expect(told('Degraded')).toEqual({ status: 'False', reason: 'AsExpected' });
    expect(decision.status).toMatchObject({ ready: '11/11', phase: 'Running', leader: 'coordinator-1' });
    expect(decision.status.shards?.selector).toContain('app.kubernetes.io/component=shard');
  });

  it('gives nothing up by the word of another group than before, until a person says that it is the one', () => {
    const look = observed();
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

  it('keeps the time of a condition for as long as its status is the same', () => {
    const before = observed().cluster.status?.conditions;
    story.world.edit((spec) => ({ ...spec, shards: { ...spec.shards, replicas: 4 } }));
    story.world.tick();
    const timeOf = (type: ConditionType, list = decided().status.conditions): string | undefined =>
      list?.find((one) => one.type === type)?.lastTransitionTime;
    expect(timeOf('Available')).toBe(timeOf('Available', before));
    expect(timeOf('Progressing')).not.toBe(timeOf('Progressing', before));
  });

  it('lets no volume grow where its class does not, says so, and does all else', () => {
    story.world.kube.storageClass = 'fixed';
    story.world.edit((spec) => ({
      ...spec,
      shards: { ...spec.shards, replicas: 4, storage: { ...spec.shards.storage, size: '20Gi' } },
    }));
    story.world.tick();
    expect(kindsOf(decided())).not.toContain('growClaim');
    story.settle();
    const sizes = (): string[] =>
      observed()
        .claims.filter(({ component }) => component === 'shard')
        .map(({ ordinal, size }) => `${ordinal} ${size}`);
    expect(sizes()).toEqual(['1 10Gi', '2 10Gi', '3 10Gi', '4 20Gi']);
    expect(told('Progressing')).toEqual({ status: 'False', reason: 'VolumesCannotGrow' });
    expect(told('Degraded')).toEqual({ status: 'True', reason: 'VolumesCannotGrow' });
    expect(told('Available')).toMatchObject({ status: 'True' });
    expect(messageOf('Degraded')).toContain('standard');
    expect(messageOf('Degraded')).toContain('data-demo-shard-1 (10Gi), data-demo-shard-2 (10Gi)');
    story.world.kube.storageClass = 'growing';
    story.world.tick();
    story.settle();
    expect(sizes()).toEqual(['1 20Gi', '2 20Gi', '3 20Gi', '4 20Gi']);
    expect(told('Degraded')).toMatchObject({ status: 'False' });
  });

  it('changes nothing while it is paused, and says so', () => {
    story.world.annotate({ 'ringleader.io/paused': 'true' });
    story.world.edit((spec) => ({ ...spec, shards: { ...spec.shards, replicas: 5 } }));
    story.world.tick();
    expect(decided().actions).toEqual([]);
    expect(told('Progressing')).toEqual({ status: 'False', reason: 'Paused' });
    expect(told('Degraded')).toMatchObject({ status: 'False' });
  });

  it.each([
    ['rotate-nats', 'soon', 'must be a time'],
    ['rotate-nats', '2999-01-01T00:00:00Z', 'is a time that is still to come'],
    ['rotate-password', '2026-01-01T00:00:00Z', 'is unknown: there are ringleader.io/rotate-root-token'],
  ])('says that it cannot follow ringleader.io/%s=%s', (name, value, why) => {
    story.world.annotate({ [`ringleader.io/${name}`]: value });
    story.world.tick();
    expect(told('Progressing')).toEqual({ status: 'False', reason: 'AnnotationInvalid' });
    expect(messageOf('Progressing')).toContain(`ringleader.io/${name} ${why}`);
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
    expect(told('Degraded')).toMatchObject({ status: 'True' });
    expect(messageOf('Progressing')).toContain('shard-4 is not drained: without it 2 shards');
    const decision = decided();
    expect(kindsOf(decision)).toEqual(['apply']);
    expect(JSON.stringify(decision.actions)).toContain('demo-gateway');
  });

  it('stops an update at the first pod that does not come up, says why, and mends it when the image is put back', () => {
    const image = (name: string): void =>
      story.world.edit((spec) => ({ ...spec, images: { ...spec.images, ringleader: name } }));
    image(BAD_IMAGE);
    expect(story.settle(60)).not.toBeNull();
    const down = observed().pods.filter(({ isReady }) => !isReady);
    expect(down.map(({ component }) => component)).toEqual(['coordinator']);
    expect(told('Degraded')).toEqual({ status: 'True', reason: 'CrashLoopBackOff' });
    expect(told('Available')).toEqual({ status: 'True', reason: 'AsExpected' });
    expect(messageOf('Progressing')).toMatch(
      /is not ready since \S+ \(CrashLoopBackOff\): the update waits for it/,
    );
    image(GOOD_IMAGES[0]);
    story.ends();
  });

  describe('of a cluster that names no image', () => {
    const imagesRun = (): Set<string> =>
      new Set(Object.values(observed().workloads).flatMap(({ images }) => Object.values(images)));
    const uids = (): string[] => observed().pods.map(({ uid }) => uid);
    const name = (ringleader: string | undefined): void =>
      story.world.edit((spec) => ({
        ...spec,
        images: { ...spec.images, ringleader },
        nats: { managed: { replicas: 3, image: undefined } },
      }));

    beforeEach(() => {
      story = new Story();
      name(undefined);
      story.settle();
    });

    it('keeps all pods as they are when the operator is upgraded, until it is asked for the new images', () => {
      const before = uids();
      story.world.upgradeOperator(GOOD_IMAGES[1]);
      story.settle();
      expect(uids()).toEqual(before);
      expect(observed().cluster.status?.images).toMatchObject({ ringleader: GOOD_IMAGES[0] });
      const ask = (at: number): void =>
        story.world.annotate({ 'ringleader.io/choose-images': new Date(at).toISOString() });
      ask(story.world.nowMs);
      story.settle();
      expect(imagesRun()).toEqual(new Set([GOOD_IMAGES[1]]));
      // The same annotation asks for nothing more.
      story.world.upgradeOperator(GOOD_IMAGES[0]);
      const since = uids();
      story.settle();
      expect(uids()).toEqual(since);
      expect(told('Degraded')).toMatchObject({ status: 'False' });
    });

    it('keeps those of its pods where a status from before does not say', () => {
      const look = observed();
      const { images: _, ...status } = look.cluster.status ?? {};
      story.world.upgradeOperator(GOOD_IMAGES[1]);
      const upgraded = { ...observed(), cluster: { ...look.cluster, status } };
      const decision = decide(upgraded, smallObjects);
      expect(decision.actions).toEqual([]);
      expect(decision.status.images).toMatchObject({ ringleader: GOOD_IMAGES[0], nats: GOOD_IMAGES[0] });
    });

    it('goes back from a bad image that was named when the line is dropped, and stays at a good one', () => {
      name(BAD_IMAGE);
      story.settle(60);
      name(undefined);
      story.settle();
      expect(imagesRun()).toEqual(new Set([GOOD_IMAGES[0]]));
      name(GOOD_IMAGES[1]);
      story.settle();
      name(undefined);
      story.settle();
      expect(observed().workloads.shard?.images).toEqual({ shard: GOOD_IMAGES[1] });
    });

    it.each(['yes', '2026-13-01T00:00:00Z', '2999-01-01T00:00:00Z'])(
      'says that it cannot follow %s',
      (value) => {
        story.world.upgradeOperator(GOOD_IMAGES[1]);
        story.world.annotate({ 'ringleader.io/choose-images': value });
        story.settle();
        expect(imagesRun()).toEqual(new Set([GOOD_IMAGES[0]]));
        expect(told('Progressing')).toEqual({ status: 'False', reason: 'AnnotationInvalid' });
        expect(messageOf('Progressing')).toContain('ringleader.io/choose-images');
      },
    );

    it('never takes another major version of PostgreSQL, and says so', () => {
      story.world.operatorImages = {
        ringleader: GOOD_IMAGES[1],
        nats: GOOD_IMAGES[1],
        postgres: 'postgres:18-bookworm',
      };
      story.world.annotate({ 'ringleader.io/choose-images': new Date(story.world.nowMs).toISOString() });
      story.settle();
      expect(observed().cluster.status?.images).toMatchObject({
        ringleader: GOOD_IMAGES[1],
        postgres: 'postgres:17',
      });
      expect(told('Progressing')).toEqual({ status: 'False', reason: 'OtherMajorVersion' });
    });
  });

  it('takes along claims without a volume when a cluster is deleted whose volumes are kept', () => {
    const { cluster, claims, ...look } = observed();
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

  it('deletes Certificates before the Secrets that would be issued for them again', () => {
    const { cluster, ...look } = observed();
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

  it('takes the leader last though somebody has scaled by hand', () => {
    story.world.edit((spec) => ({ ...spec, images: { ...spec.images, ringleader: GOOD_IMAGES[1] } }));
    for (let round = 0; round < 60 && !kindsOf(decided()).includes('evict'); round++)
      story.play([{ kind: 'round' }]);
    const { workloads } = observed();
    const coordinator = { ...workloads.coordinator!, replicas: 1 };
    const seen = { ...observed(), workloads: { ...workloads, coordinator } };
    const evicted = decide(seen, smallObjects).actions.flatMap((one) =>
      one.kind === 'evict' ? [one.pod] : [],
    );
    expect(evicted).toEqual(['demo-coordinator-3']);
  });

  it('rolls no server while one is down that goes, though somebody has scaled by hand', () => {
    const story = new Story();
    story.play([
      ...([{ kind: 'round' }, { kind: 'round' }, { kind: 'natsImage', image: BAD_IMAGE }] as const),
      ...([
        { kind: 'round' },
        { kind: 'round' },
        { kind: 'nats', replicas: 1 },
        { kind: 'control' },
      ] as const),
      { kind: 'scaleByHand', component: 'nats', replicas: 0 },
    ]);
    story.ends();
  });

  it('scales while an update is stuck', () => {
    story.world.edit((spec) => ({ ...spec, images: { ...spec.images, ringleader: BAD_IMAGE } }));
    story.settle(60);
    story.world.edit((spec) => ({ ...spec, shards: { ...spec.shards, replicas: 4 } }));
    story.settle(60);
    const added = observed().pods.find(({ name }) => name === 'demo-shard-4');
    expect(added).toMatchObject({ isReady: true });
  });

  it('lets moves go on in an update while others must take the place of a shard that comes back no more', () => {
    const { kube } = story.world;
    story.play([
      { kind: 'shards', replicas: 5 },
      { kind: 'settle' },
      { kind: 'image', image: GOOD_IMAGES[1] },
    ]);
    // So that the last one waits for a volume until the update has come to it.
    kube.storageClass = 'missing';
    story.play([{ kind: 'shards', replicas: 6 }, { kind: 'settle' }, { kind: 'shards', replicas: 3 }]);
    story.play([{ kind: 'round' }, { kind: 'round' }]);
    for (const name of ['pods', 'claims'] as const)
      for (const key of kube[name].keys()) if (key.endsWith('shard-5')) kube[name].delete(key);
    story.world.tick();
    kube.storageClass = 'growing';
    story.ends();
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
    const { pods, claims, data, cluster } = observed();
    expect(data?.coordinators.members.every(({ reachable }) => reachable)).toBe(true);
    expect(data?.shards.map(({ shard }) => shard).sort()).toEqual(['shard-1', 'shard-2', 'shard-3']);
    expect(claims.filter(({ component }) => component === 'shard')).toHaveLength(3);
    expect(pods.filter(({ isReady }) => !isReady)).toEqual([]);
    const degraded = cluster.status?.conditions?.find(({ type }) => type === 'Degraded');
    expect(degraded).toMatchObject({ status: 'True', reason: 'Refused', message: 'growClaim is refused' });
    story.ends();
  });

  it('tells the pause of moves that a person made from its own', () => {
    story.world.pauseByPerson();
    story.world.tick();
    expect(told('Rebalancing')).toEqual({ status: 'False', reason: 'Paused' });
    story.world.resumeByPerson();
    story.world.placement?.pause('operator');
    story.world.tick();
    expect(told('Rebalancing')).toEqual({ status: 'False', reason: 'PausedForUpdate' });
    expect(kindsOf(decided())).toEqual(['resumeMoves']);
  });

  it('says why pods are missing, where Kubernetes says so', () => {
    const look = observed();
    const pods = look.pods.filter(({ component }) => component !== 'shard');
    const degradedOf = (whyMissing: Observed['whyMissing']): string | undefined =>
      decide({ ...look, pods, whyMissing }, smallObjects).status.conditions?.find(
        ({ type }) => type === 'Degraded',
      )?.message;
    expect(degradedOf({})).toMatch(/^3 pods of shard are missing($|\.)/);
    expect(degradedOf({ shard: 'exceeded quota: few' })).toContain(
      '3 pods of shard are missing (exceeded quota: few)',
    );
  });

  it('says of data that were kept what cannot be asked of them, and calls nothing wrong', () => {
    const look = observed();
    const { data } = look;
    if (data === null) throw new Error('no coordinator answers');
    const { partitions, replicationFactor } = look.cluster.spec;
    const conditionsOf = (founded: NonNullable<typeof data.founded>): Record<string, string> =>
      Object.fromEntries(
        (decide({ ...look, data: { ...data, founded } }, smallObjects).status.conditions ?? []).map(
          ({ type, status, reason, message }) => [type, `${status} ${reason}: ${message}`],
        ),
      );
    const asAsked = conditionsOf({ partitions, replicationFactor });
    const otherwise = conditionsOf({ partitions: 32, replicationFactor: 5 });
    expect(otherwise['Progressing']).toMatch(
      new RegExp(`^False FoundedOtherwise: .*partitions 32, .*${partitions} is asked.*replicationFactor 5, `),
    );
    expect(otherwise['Degraded']).toBe(asAsked['Degraded']);
    expect(asAsked['Progressing']).not.toContain('founded');
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
      const isHere = (): boolean => (observed().workloads[component]?.replicas ?? 0) === 5;
      for (let round = 0; round < 60 && isHere(); round++) story.play([{ kind: 'round' }]);
      expect(world.kube.claims.has(`data-demo-${component}-5`)).toBe(true);
      world.kube.storageClass = 'missing';
      for (const name of ['demo-coordinator-1', 'demo-coordinator-2', 'demo-coordinator-3'])
        world.kube.claims.get(`data-${name}`)!.isBound = false;
      world.kube.pods.clear();
      story.settle(30);
      expect(observed().data).toBeNull();
      expect(world.kube.workload(component)?.replicas).toBe(4);
      world.kube.storageClass = 'growing';
      story.ends();
    },
  );

  it('knows that no coordinator answers', () => {
    story.world.kube.pods.delete('demo-coordinator-2');
    story.world.kube.pods.delete('demo-coordinator-3');
    story.world.tick();
    expect(told('Quorate')).toEqual({ status: 'False', reason: 'NoQuorum' });
    expect(told('Available')).toEqual({ status: 'False', reason: 'NoQuorum' });
    expect(decided().actions).toEqual([]);
  });
});
