/** Updates of which something does not go as planned. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { BAD_IMAGE, GOOD_IMAGES } from '../../test/world/cluster-of.js';
import { decided, kindsOf, messageOf, observed, settled, told } from '../../test/world/decided.js';
import { smallObjects } from '../../test/world/manifests.js';
import { Story } from '../../test/world/story.js';
import { decide } from './decide.js';

let story: Story;
beforeEach(() => {
  story = settled();
});

describe('updates', () => {
  it('stops an update at the first pod that does not come up, says why, and mends it when the image is put back', () => {
    const image = (name: string): void =>
      story.world.edit((spec) => ({ ...spec, images: { ...spec.images, ringleader: name } }));
    image(BAD_IMAGE);
    expect(story.settle(60)).not.toBeNull();
    const down = observed(story).pods.filter(({ isReady }) => !isReady);
    expect(down.map(({ component }) => component)).toEqual(['coordinator']);
    expect(told(story, 'Degraded')).toEqual({ status: 'True', reason: 'CrashLoopBackOff' });
    expect(told(story, 'Available')).toEqual({ status: 'True', reason: 'AsExpected' });
    expect(messageOf(story, 'Progressing')).toMatch(
      /is not ready since \S+ \(CrashLoopBackOff\): the update waits for it/,
    );
    image(GOOD_IMAGES[0]);
    story.ends();
  });

  it('takes the leader last though somebody has scaled by hand', () => {
    story.world.edit((spec) => ({ ...spec, images: { ...spec.images, ringleader: GOOD_IMAGES[1] } }));
    for (let round = 0; round < 60 && !kindsOf(decided(story)).includes('evict'); round++)
      story.play([{ kind: 'round' }]);
    const { workloads } = observed(story);
    const coordinator = { ...workloads.coordinator!, replicas: 1 };
    const seen = { ...observed(story), workloads: { ...workloads, coordinator } };
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

  it('takes no shard while a record of the coordinators cannot be read, says so, and does all else', () => {
    story.world.edit((spec) => ({
      ...spec,
      images: { ...spec.images, ringleader: GOOD_IMAGES[1] },
      gateways: { ...spec.gateways, replicas: 3 },
    }));
    story.world.unreadable = Array.from(
      { length: 7 },
      (_, i) => `/ringleader/members/shard/of-a-newer-version-${i}`,
    );
    const taken: string[] = [];
    for (let round = 0; round < 60; round++) {
      story.play([{ kind: 'round' }]);
      taken.push(...decided(story).actions.flatMap((one) => (one.kind === 'evict' ? [one.pod] : [])));
    }
    expect(taken.filter((pod) => pod.includes('coordinator'))).not.toEqual([]);
    expect(taken.filter((pod) => pod.includes('shard'))).toEqual([]);
    expect(observed(story).workloads.gateway?.replicas).toBe(3);
    expect(told(story, 'Degraded')).toEqual({ status: 'True', reason: 'RecordsUnreadable' });
    expect(messageOf(story, 'Degraded')).toMatch(/of-a-newer-version-4, and 2 more; /);
    expect(messageOf(story, 'Progressing')).toContain('Records of the coordinators cannot be read');
    story.world.unreadable = [];
    story.ends();
  });

  it('scales while an update is stuck', () => {
    story.world.edit((spec) => ({ ...spec, images: { ...spec.images, ringleader: BAD_IMAGE } }));
    story.settle(60);
    story.world.edit((spec) => ({ ...spec, shards: { ...spec.shards, replicas: 4 } }));
    story.settle(60);
    const added = observed(story).pods.find(({ name }) => name === 'demo-shard-4');
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
});
