/**
 * Installs what k8s/ holds, as `kubectl apply --server-side -k k8s/` does, with the image of this run in place of the published one.
 * A kustomization is read as far as ours go: a list of files and folders.
 */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { until, workspaceRoot } from '@ringleader/testing-servers';
import { parse, parseAllDocuments } from 'yaml';
import type { KubeObject, KubernetesApi } from './api.js';
import { environment } from './environment.js';

export const OPERATOR = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'ringleader-operator', namespace: 'ringleader-system' },
} as const;

interface Deployment extends KubeObject {
  readonly spec: { readonly replicas: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly replicas?: number;
  };
}

/** Before the objects of it: kinds, and places. */
const FIRST = ['CustomResourceDefinition', 'Namespace'];
const READY_MS = 180_000;
/** The same that `kustomize` understands as a kustomization without a file of that name. */
const KUSTOMIZATION = 'kustomization.yaml';
/** What this reads; anything else would be left out without a word. */
const UNDERSTOOD = new Set(['apiVersion', 'kind', 'resources', 'images', 'namespace', 'labels']);

export async function manifestsOf(folder: string): Promise<KubeObject[]> {
  const file = join(folder, KUSTOMIZATION);
  const kustomization = parse(await readFile(file, 'utf8')) as { readonly resources?: readonly string[] };
  const unknown = Object.keys(kustomization).filter((key) => !UNDERSTOOD.has(key));
  if (unknown.length > 0) throw new Error(`${file}: ${unknown.join(', ')} cannot be read here`);
  const manifests: KubeObject[] = [];
  for (const resource of kustomization.resources ?? []) {
    const path = join(folder, resource);
    if ((await stat(path)).isDirectory()) manifests.push(...(await manifestsOf(path)));
    else manifests.push(...(await documentsOf(path)));
  }
  return manifests;
}

async function documentsOf(path: string): Promise<KubeObject[]> {
  const documents = parseAllDocuments(await readFile(path, 'utf8'));
  return documents
    .map((document) => document.toJS() as KubeObject | null)
    .filter((object) => object !== null);
}

/** Resolves when the operator is ready, with this image. */
export async function installOperator(api: KubernetesApi): Promise<void> {
  await applyManifests(api);
  await untilOperatorReady(api);
}

/** Resolves when clusters can be asked for, be the operator there or not. */
export async function applyManifests(api: KubernetesApi): Promise<void> {
  const folder = join(workspaceRoot(), 'k8s');
  if (!existsSync(join(folder, KUSTOMIZATION)))
    throw new Error(`${dirname(folder)} has no k8s/${KUSTOMIZATION}`);
  const manifests = await manifestsOf(folder);
  const isFirst = ({ kind }: KubeObject): boolean => FIRST.includes(kind);
  for (const manifest of manifests.filter(isFirst)) await api.apply(manifest);
  await untilKnown(api, manifests);
  for (const manifest of manifests.filter((object) => !isFirst(object))) {
    await api.apply(manifest.kind === 'Deployment' ? withImage(manifest) : manifest);
  }
}

export async function untilOperatorReady(api: KubernetesApi): Promise<void> {
  const isReady = async (): Promise<boolean> => {
    const operator = await api.get<Deployment>(OPERATOR);
    const { observedGeneration, readyReplicas, updatedReplicas, replicas } = operator?.status ?? {};
    const wanted = operator?.spec.replicas;
    return (
      observedGeneration === operator?.metadata.generation &&
      [readyReplicas, updatedReplicas, replicas].every((count) => count === wanted)
    );
  };
  await until('the operator is ready', isReady, { timeoutMs: READY_MS, everyMs: 250 });
}

/** A kind that was just defined is served a moment later. */
async function untilKnown(api: KubernetesApi, manifests: readonly KubeObject[]): Promise<void> {
  const names = manifests
    .filter(({ kind }) => kind === 'CustomResourceDefinition')
    .map(({ metadata }) => metadata.name);
  for (const name of names) {
    const [plural, ...group] = name.split('.');
    const path = `/apis/${group.join('.')}/v1alpha1/${plural}`;
    const isServed = async (): Promise<boolean> => (await api.send({ method: 'GET', path })).status === 200;
    await until(`${name} is served`, isServed, { timeoutMs: 30_000, everyMs: 200 });
  }
}

/** The operator's image is also what it makes clusters of where they name none. */
function withImage(manifest: KubeObject): KubeObject {
  const text = JSON.stringify(manifest);
  const images = [...text.matchAll(/"image":"([^"]+)"/g)].map(([, image = '']) => image);
  return JSON.parse(
    images.reduce((changed, image) => changed.replaceAll(image, environment.image), text),
  ) as KubeObject;
}
