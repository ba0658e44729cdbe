/**
 * What is below k8s/, as a real API server takes it: by `kubectl apply --dry-run=server`, and who may change what the operator owns
 * when its policy is there. No pod runs for this.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { until, workspaceRoot } from '@ringleader/testing-servers';
import { KubernetesApi } from '../harness/api.js';
import { applyManifests } from '../harness/operator-installation.js';
import { KUBE_PROGRAM, OwnApiServer } from './own-api-server.js';

const IN_TIME = { timeoutMs: 60_000, everyMs: 250 };
const K8S = join(workspaceRoot(), 'k8s');

const withServer = (): void => {
  let server: OwnApiServer | null = null;
  let folder: string;

  /** Null when it is done; else what it says. */
  const kubectl = async (...args: readonly string[]): Promise<string | null> => {
    const env = { ...process.env, KUBECONFIG: server?.kubeconfig };
    return promisify(execFile)(join(folder, 'kubectl'), args, { env }).then(
      () => null,
      (error: unknown) => String((error as { readonly stderr?: string }).stderr),
    );
  };
  const dryRun = (...args: readonly string[]): Promise<string | null> =>
    kubectl('apply', '--server-side', '--dry-run=server', '--force-conflicts', ...args);

  beforeAll(async () => {
    server = await OwnApiServer.start();
    folder = await mkdtemp(join(tmpdir(), 'ringleader-kubectl-'));
    await symlink(KUBE_PROGRAM, join(folder, 'kubectl'));
    await applyManifests(KubernetesApi.fromEnvironment());
    const isServed = async (): Promise<boolean> =>
      (await dryRun('-n', 'default', '-f', join(K8S, 'samples/small.yaml'))) === null;
    await until('clusters can be asked for', isServed, IN_TIME);
  }, 240_000);

  afterAll(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ['all', '-k', K8S],
    ['the overlay for kind', '-k', join(K8S, 'overlays/kind')],
    ['the samples', '-n', 'default', '-f', join(K8S, 'samples')],
  ])('are taken: %s', async (_what, ...args) => {
    expect(await dryRun(...args)).toBeNull();
  });

  it.each([
    [
      'a field that is misspelt',
      'replicationFactor: 3',
      'replicationFactors: 3',
      /unknown field|not declared/,
    ],
    ['a value that no cluster may have', 'partitions: 64', 'partitions: 65', /power of two/],
    [
      'a rule that spans fields',
      'replicas: 3\n    storage:\n      size: 2Gi',
      'replicas: 2',
      /replicationFactor/,
    ],
  ])('would be refused with %s', async (_what, right, wrong, says) => {
    const text = await readFile(join(K8S, 'samples/small.yaml'), 'utf8');
    expect(text).toContain(right);
    const file = join(folder, 'wrong.yaml');
    await writeFile(file, text.replace(right, wrong));
    expect(await dryRun('-n', 'default', '-f', file)).toMatch(says);
  });

  describe('keep hands off a StatefulSet of the operator’s', () => {
    const as = (user: string): readonly string[] => ['--as', user, '--as-group', 'system:masters'];
    const scale = (user: string) => kubectl('scale', 'sts/owned', '--replicas=1', ...as(user));
    const remove = (user: string) =>
      kubectl('delete', 'sts/owned', '--dry-run=server', '--cascade=orphan', ...as(user));
    const OPERATOR = 'system:serviceaccount:ringleader-system:ringleader-operator';

    const makeSet = async (name: string, labels: Readonly<Record<string, string>>): Promise<unknown> => {
      const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
      return KubernetesApi.fromEnvironment().apply({
        ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name, namespace: 'default', labels } },
        spec: { serviceName: name, replicas: 3, selector: { matchLabels: labels }, template },
      });
    };

    beforeAll(async () => {
      const name = 'app.kubernetes.io/name';
      const managedBy = 'app.kubernetes.io/managed-by';
      await makeSet('owned', { [name]: 'ringleader', [managedBy]: 'ringleader-operator' });
      await makeSet('other', { [name]: 'ringleader-of-others' });
      // The policy is known a little after it was made.
      await until('it is denied', async () => (await remove('somebody')) !== null, IN_TIME);
    }, 120_000);

    it.each([
      ['a person', 'admin'],
      ['another ServiceAccount', 'system:serviceaccount:default:default'],
    ])('of %s', async (_who, user) => {
      expect(await scale(user)).toMatch(/belongs to the Ringleader operator/);
      expect(await remove(user)).toMatch(/belongs to the Ringleader operator/);
    });

    it.each([
      ['by its own account', 'system:serviceaccount:kube-system:generic-garbage-collector'],
      ['under the one name of all controllers', 'system:kube-controller-manager'],
    ])(
      'but not of Kubernetes’ own controllers, which delete what has lost its owner: %s',
      async (_what, user) => {
        expect(await remove(user)).toBeNull();
        expect(await scale(user)).toMatch(/belongs to the Ringleader operator/);
      },
    );

    it('but not off one whose name only begins as ours do', async () => {
      expect(await kubectl('scale', 'sts/other', '--replicas=1', ...as('admin'))).toBeNull();
    });

    it('but not of the operator', async () => {
      expect(await remove(OPERATOR)).toBeNull();
      expect(await scale(OPERATOR)).toBeNull();
    });
  });
};

describe('the manifests', () => {
  if (OwnApiServer.isThere) withServer();
  else
    it('are not tried here: there is no program with etcd and kube-apiserver (RINGLEADER_E2E_KUBE)', () =>
      undefined);
});
