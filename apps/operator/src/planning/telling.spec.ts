/** What people are told of a cluster, and how long. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ConditionType } from '@ringleader/contracts';
import { decided, kindsOf, messageOf, observed, settled, told } from '../../test/world/decided.js';
import { smallObjects } from '../../test/world/manifests.js';
import type { Story } from '../../test/world/story.js';
import { decide } from './decide.js';
import type { Observed } from './types.js';

let story: Story;
beforeEach(() => {
  story = settled();
});

describe('the conditions', () => {
  it('keeps the time of a condition for as long as its status is the same', () => {
    const before = observed(story).cluster.status?.conditions;
    story.world.edit((spec) => ({ ...spec, shards: { ...spec.shards, replicas: 4 } }));
    story.world.tick();
    const timeOf = (type: ConditionType, list = decided(story).status.conditions): string | undefined =>
      list?.find((one) => one.type === type)?.lastTransitionTime;
    expect(timeOf('Available')).toBe(timeOf('Available', before));
    expect(timeOf('Progressing')).not.toBe(timeOf('Progressing', before));
  });

  it('changes nothing while it is paused, and says so', () => {
    story.world.annotate({ 'ringleader.io/paused': 'true' });
    story.world.edit((spec) => ({ ...spec, shards: { ...spec.shards, replicas: 5 } }));
    story.world.tick();
    expect(decided(story).actions).toEqual([]);
    expect(told(story, 'Progressing')).toEqual({ status: 'False', reason: 'Paused' });
    expect(told(story, 'Degraded')).toMatchObject({ status: 'False' });
  });

  it.each([
    ['rotate-nats', 'soon', 'must be a time'],
    ['rotate-nats', '2999-01-01T00:00:00Z', 'is a time that is still to come'],
    ['rotate-password', '2026-01-01T00:00:00Z', 'is unknown: there are ringleader.io/rotate-root-token'],
  ])('says that it cannot follow ringleader.io/%s=%s', (name, value, why) => {
    story.world.annotate({ [`ringleader.io/${name}`]: value });
    story.world.tick();
    expect(told(story, 'Progressing')).toEqual({ status: 'False', reason: 'AnnotationInvalid' });
    expect(messageOf(story, 'Progressing')).toContain(`ringleader.io/${name} ${why}`);
  });

  it('tells the pause of moves that a person made from its own', () => {
    story.world.pauseByPerson();
    story.world.tick();
    expect(told(story, 'Rebalancing')).toEqual({ status: 'False', reason: 'Paused' });
    story.world.resumeByPerson();
    story.world.placement?.pause('operator');
    story.world.tick();
    expect(told(story, 'Rebalancing')).toEqual({ status: 'False', reason: 'PausedForUpdate' });
    expect(kindsOf(decided(story))).toEqual(['resumeMoves']);
  });

  it('says why pods are missing, where Kubernetes says so', () => {
    const look = observed(story);
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
    const look = observed(story);
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

  it('knows that no coordinator answers', () => {
    story.world.kube.pods.delete('demo-coordinator-2');
    story.world.kube.pods.delete('demo-coordinator-3');
    story.world.tick();
    expect(told(story, 'Quorate')).toEqual({ status: 'False', reason: 'NoQuorum' });
    expect(told(story, 'Available')).toEqual({ status: 'False', reason: 'NoQuorum' });
    expect(decided(story).actions).toEqual([]);
  });
});
