import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../kubernetes/kube-api.js';
import { failureIn, whyPodsMissing } from './missing-pods.js';

const NOW = Date.parse('2026-01-01T01:00:00Z');
const metadata = { name: 'demo', uid: 'uid', resourceVersion: '1' };
const event = (note: string, times: object): KubeObject => ({ metadata, note, ...times });

describe('why pods are not made', () => {
  it.each<[string, object, string | null]>([
    ['said by the older API', { deprecatedLastTimestamp: '2026-01-01T00:55:00Z' }, 'no room'],
    ['said by the newer API', { eventTime: '2026-01-01T00:55:00.000000Z' }, 'no room'],
    [
      'said again lately',
      { eventTime: '2026-01-01T00:00:00Z', series: { lastObservedTime: '2026-01-01T00:55:00Z' } },
      'no room',
    ],
    ['said long ago', { deprecatedLastTimestamp: '2026-01-01T00:30:00Z', eventTime: null }, null],
  ])('is what was %s', (_when, times, expected) => {
    expect(failureIn([event('no room', times)], NOW)).toBe(expected);
  });

  it('is the same whichever pod was tried last', () => {
    const [one, other] = ['00:55:00', '00:56:00'].map((time, i) =>
      event(`pod ${i}`, { eventTime: `2026-01-01T${time}Z` }),
    ) as [KubeObject, KubeObject];
    expect(failureIn([other, one], NOW)).toBe('pod 0');
    expect(failureIn([one, other], NOW)).toBe('pod 0');
  });

  it('is said of a Deployment by itself, and asked for only where pods are missing', async () => {
    const asked: string[] = [];
    const list = (): Promise<{ items: KubeObject[]; resourceVersion: string }> => {
      asked.push('events');
      return Promise.resolve({ items: [], resourceVersion: '1' });
    };
    const labels = (component: string) => ({
      ...metadata,
      labels: { 'app.kubernetes.io/component': component },
    });
    const conditions = [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }];
    const owned = [
      {
        kind: 'Deployment',
        metadata: labels('gateway'),
        spec: { replicas: 2 },
        status: { replicas: 1, conditions },
      },
      { kind: 'StatefulSet', metadata: labels('shard'), spec: { replicas: 3 }, status: { replicas: 3 } },
      { kind: 'Service', metadata: labels('shard') },
    ];
    const why = await whyPodsMissing(owned, { list }, NOW);
    expect(why).toEqual({ gateway: 'exceeded quota' });
    expect(asked).toEqual([]);
  });
});
