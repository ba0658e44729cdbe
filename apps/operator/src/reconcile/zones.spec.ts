import { describe, expect, it } from '@jest/globals';
import { clusterOf } from '../../test/resources.fixtures.js';
import type { KubeObject } from '../kubernetes/kube-api.js';
import { annotateZones } from './zones.js';

const object = (name: string, labels: Record<string, string>): KubeObject => ({
  metadata: { name, uid: name, resourceVersion: '1', labels },
});

describe('the zone of a pod', () => {
  it.each<[string, Record<string, string>, string, number]>([
    ['that of its node', { rack: 'a' }, 'a', 0],
    ['none where the node has no such label', {}, 'none', 1],
    ['none where the label is empty: the pod would wait for it for ever', { rack: '' }, 'none', 1],
  ])('is %s', async (_what, labels, zone, without) => {
    const cluster = clusterOf({ shards: { replicas: 3, zoneTopologyKey: 'rack' } });
    const pod = {
      ...object('demo-shard-1', { 'app.kubernetes.io/component': 'shard' }),
      spec: { nodeName: 'node' },
    };
    const written: unknown[] = [];
    const api = {
      find: <T extends KubeObject>() => Promise.resolve(object('node', labels) as T),
      merge: (_place: unknown, body: object) => {
        written.push(body);
        return Promise.resolve(pod);
      },
    };
    const nodes = await annotateZones(cluster, [pod], api, () => undefined);
    expect(nodes).toHaveLength(without);
    expect(written).toMatchObject([{ metadata: { annotations: { 'ringleader.io/zone': zone } } }]);
  });
});
