import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../kubernetes/kube-api.js';
import { claimSeen } from './observation.js';

/** With the labels that a StatefulSet gives it. */
const claim = (name: string): KubeObject => ({
  metadata: {
    ...{ name, uid: name, resourceVersion: '1' },
    labels: { 'app.kubernetes.io/instance': 'demo', 'app.kubernetes.io/component': 'shard' },
  },
  spec: { volumeName: 'volume' },
});

describe('a claim', () => {
  it.each([1, 2, 10, 1_024])('of a pod has its number: %i', (ordinal) => {
    const seen = claimSeen(claim(`data-demo-shard-${ordinal}`));
    expect(seen).toMatchObject({ component: 'shard', ordinal, isBound: true });
  });

  it.each([
    'data-demo-shard-2-copy-20261127',
    'data-demo-shard-2-1',
    'copy-of-data-demo-shard-2',
    'backup-7',
    'data-demo-shard-0',
    'data-demo-shard-02',
    'data-demo-coordinator-2',
    'data-other-shard-2',
  ])('that somebody has copied with its labels is none: %s', (name) => {
    expect(claimSeen(claim(name))).toBeNull();
  });
});
