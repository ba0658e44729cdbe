import { beforeEach, describe, expect, it } from '@jest/globals';
import { BAD_IMAGE, GOOD_IMAGES } from '../../test/world/cluster-of.js';
import { messageOf, observed, told } from '../../test/world/decided.js';
import { smallObjects } from '../../test/world/manifests.js';
import { Story } from '../../test/world/story.js';
import { decide } from './decide.js';

describe('a cluster that names no image', () => {
  const imagesRun = (): Set<string> =>
    new Set(Object.values(observed(story).workloads).flatMap(({ images }) => Object.values(images)));
  const uids = (): string[] => observed(story).pods.map(({ uid }) => uid);
  const name = (ringleader: string | undefined): void =>
    story.world.edit((spec) => ({
      ...spec,
      images: { ...spec.images, ringleader },
      nats: { managed: { replicas: 3, image: undefined } },
    }));

  let story: Story;
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
    expect(observed(story).cluster.status?.images).toMatchObject({ ringleader: GOOD_IMAGES[0] });
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
    expect(told(story, 'Degraded')).toMatchObject({ status: 'False' });
  });

  it('keeps those of its pods where a status from before does not say', () => {
    const look = observed(story);
    const { images: _, ...status } = look.cluster.status ?? {};
    story.world.upgradeOperator(GOOD_IMAGES[1]);
    const upgraded = { ...observed(story), cluster: { ...look.cluster, status } };
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
    expect(observed(story).workloads.shard?.images).toEqual({ shard: GOOD_IMAGES[1] });
  });

  it.each(['yes', '2026-13-01T00:00:00Z', '2999-01-01T00:00:00Z'])(
    'says that it cannot follow %s',
    (value) => {
      story.world.upgradeOperator(GOOD_IMAGES[1]);
      story.world.annotate({ 'ringleader.io/choose-images': value });
      story.settle();
      expect(imagesRun()).toEqual(new Set([GOOD_IMAGES[0]]));
      expect(told(story, 'Progressing')).toEqual({ status: 'False', reason: 'AnnotationInvalid' });
      expect(messageOf(story, 'Progressing')).toContain('ringleader.io/choose-images');
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
    expect(observed(story).cluster.status?.images).toMatchObject({
      ringleader: GOOD_IMAGES[1],
      postgres: 'postgres:17',
    });
    expect(told(story, 'Progressing')).toEqual({ status: 'False', reason: 'OtherMajorVersion' });
  });
});
