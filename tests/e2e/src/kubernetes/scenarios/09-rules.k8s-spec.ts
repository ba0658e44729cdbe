/** What a RingleaderCluster may not be, and may not become: the API server refuses it, with a sentence. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CLUSTER_API_VERSION, CLUSTER_KIND } from '@ringleader/contracts';
import { ApiRefusal, KubernetesApi } from '../harness/api.js';
import { environment } from '../harness/environment.js';
import { removeNamespace } from '../harness/given.js';
import { merged, type Part } from '../harness/merge-patch.js';
import { applyManifests } from '../harness/operator-installation.js';
import { ALLOWED, REFUSALS, SMALLEST } from '../rules/refusals.js';

const namespace = `${environment.namespace}-rules`;
const ref = (name: string) => ({
  apiVersion: CLUSTER_API_VERSION,
  kind: CLUSTER_KIND,
  metadata: { name, namespace, annotations: { 'ringleader.io/paused': 'true' } },
});
const cases = <T extends { readonly what: string }>(of: readonly T[]): (readonly [string, T])[] =>
  of.map((one) => [one.what, one]);

describe('the rules of a RingleaderCluster', () => {
  let api: KubernetesApi;
  let made = 0;
  beforeAll(async () => {
    api = KubernetesApi.fromEnvironment();
    await applyManifests(api);
    await api.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  }, 300_000);
  afterAll(() => removeNamespace(api, namespace));

  /** The attempt, and what is there before it. */
  async function attempt({ name = `try-${++made}`, from, to, subresource }: (typeof REFUSALS)[number]) {
    if (from === undefined) return () => api.create({ ...ref(name), spec: merged(SMALLEST, to) });
    await api.create({ ...ref(name), spec: merged(SMALLEST, from) });
    const body = subresource === '/status' ? { status: to } : { spec: to };
    return () => api.patch(ref(name), body, subresource);
  }

  it.each(cases(REFUSALS))('refuse %s', async (_what, refusal) => {
    const { path, sentence } = refusal;
    const outcome = await (await attempt(refusal))().catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ApiRefusal);
    const { status, message } = outcome as ApiRefusal;
    expect(status).toBe(422);
    expect(message).toContain(sentence);
    // The whole object has no name.
    expect(message).toContain(path === '' ? 'Invalid value' : `${path}: Invalid value`);
  });

  it.each(cases(ALLOWED))('allow %s', async (_what, { name = `try-${++made}`, from, to }) => {
    await api.create({ ...ref(name), spec: merged(SMALLEST, from ?? to) });
    if (from !== undefined) await api.patch(ref(name), { spec: to });
  });

  const unsaid: readonly (readonly [string, Part, RegExp])[] = [
    ['no shards', {}, /shards: Required/],
    ['no number of shards', { shards: {} }, /replicas: Required/],
  ];
  it.each(unsaid)('refuse %s', async (_what, spec, sentence) => {
    await expect(api.create({ ...ref('new'), spec })).rejects.toThrow(sentence);
  });

  it('refuse to take the shards away', async () => {
    await api.create({ ...ref('taken'), spec: SMALLEST });
    await expect(api.patch(ref('taken'), { spec: { shards: null } })).rejects.toThrow(/shards: Required/);
    await expect(api.patch(ref('taken'), { spec: { shards: { replicas: null } } })).rejects.toThrow(
      /replicas: Required/,
    );
    await api.patch(ref('taken'), { spec: { replicas: 6 } }, '/scale');
  });
});
