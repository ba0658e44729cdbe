import { describe, expect, it } from '@jest/globals';
import { createLogger } from '@ringleader/observability';
import { EventRecorder, type Happening } from './events.js';
import type { KubeObject } from './kube-api.js';
import { KubeError } from './kube-error.js';

const regarding: KubeObject = {
  apiVersion: 'ringleader.io/v1',
  kind: 'RingleaderCluster',
  metadata: { name: 'demo', namespace: 'default', uid: 'u', resourceVersion: '1' },
};
const happening: Happening = { type: 'Warning', action: 'Reconcile', reason: 'Refused', note: 'why' };

describe('EventRecorder', () => {
  it('writes once what happens again and again, and tells again what could not be written', async () => {
    let isAway = true;
    let written = 0;
    const create = (): Promise<never> => {
      if (isAway) return Promise.reject(new KubeError(0, 'Unreachable', 'the API server is away'));
      written += 1;
      return Promise.resolve(regarding as never);
    };
    const recorder = new EventRecorder({
      api: { create, merge: () => Promise.resolve(regarding) },
      instance: 'operator-1',
      logger: createLogger({ level: 'silent', service: 'operator', member: 'operator-1' }),
    });
    await recorder.tell(regarding, happening);
    isAway = false;
    for (let time = 1; time <= 3; time += 1) await recorder.tell(regarding, happening);
    expect(written).toBe(1);
  });
});
