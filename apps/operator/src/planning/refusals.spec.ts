import { describe, expect, it } from '@jest/globals';
import { newCluster } from '../../test/world/cluster-of.js';
import { buildsOn, withRefusals } from './refusals.js';
import type { Action } from './types.js';

function apply(kind: string, component?: string): Action {
  const labels = component === undefined ? {} : { 'app.kubernetes.io/component': component };
  const manifest = { apiVersion: 'v1', kind, metadata: { name: 'demo', labels } };
  return { kind: 'apply', manifest, hash: '', why: '' };
}
const GROWTH: Action = { kind: 'growClaim', claim: 'data', uid: '', size: '2Gi', why: '' };

describe('what was refused', () => {
  it.each<[string, Action, Action, boolean]>([
    ['pods on their files', apply('StatefulSet', 'shard'), apply('ConfigMap', 'shard'), true],
    ['pods on files of others', apply('StatefulSet', 'shard'), apply('ConfigMap', 'coordinator'), false],
    ['pods on who may reach them', apply('Deployment', 'gateway'), apply('NetworkPolicy'), true],
    ['pods on how they are called', apply('Deployment', 'gateway'), apply('Service', 'gateway'), false],
    ['a Service on a policy', apply('Service', 'gateway'), apply('NetworkPolicy'), false],
    ['pods on the growth of a volume', apply('StatefulSet', 'shard'), GROWTH, false],
    ['the growth of a volume on pods', GROWTH, apply('StatefulSet', 'shard'), false],
  ])('ends what builds on it: %s', (_what, next, refused, isBuilt) => {
    expect(buildsOn(next, refused)).toBe(isBuilt);
  });

  it('is told before all else that is amiss, at the time since when something is', () => {
    const cluster = newCluster();
    const nowMs = Date.parse('2026-01-02T00:00:00Z');
    const one = { reason: 'Refused', message: 'no room' };
    const told = withRefusals({ conditions: [] }, [one, one], { cluster, nowMs });
    const [first] = told.conditions ?? [];
    expect(first).toMatchObject({ type: 'Degraded', status: 'True', reason: 'Refused', message: 'no room' });
    expect(first?.lastTransitionTime).toBe('2026-01-02T00:00:00.000Z');
    const amiss = { conditions: [{ ...first!, reason: 'ShardDown', message: 'shard-1 is down' }] };
    const later = withRefusals(amiss, [one], { cluster: { ...cluster, status: told }, nowMs: nowMs + 1_000 });
    expect(later.conditions).toEqual([{ ...first, message: 'no room. shard-1 is down' }]);
  });
});
