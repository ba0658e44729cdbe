import { beforeAll, describe, expect, it } from '@jest/globals';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  BREAK_GLASS_ANNOTATION,
  CLUSTER_KIND,
  RINGLEADER_VERSION,
  ringleaderClusterSpecSchema,
} from '@ringleader/contracts';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { KINDS_OF_OTHERS, schemasByKind } from './schemas.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [part: string]: unknown;
}

const files = globSync('k8s/**/*.yaml', {
  cwd: root,
  exclude: (name) => name === 'helm' || name === 'tests',
});
const manifests = files
  .sort()
  .flatMap((file) =>
    parseAllDocuments(read(file), { uniqueKeys: true }).map((document) => {
      expect({ file, errors: document.errors }).toEqual({ file, errors: [] });
      return { file, manifest: document.toJS() as Manifest };
    }),
  )
  .filter(({ manifest }) => manifest.kind !== 'Kustomization');
const named = manifests.map(({ file, manifest }) => ({
  name: `${manifest.kind} ${manifest.metadata.name} of ${file}`,
  manifest,
}));
const only = <T>(kind: string, name: string): T => {
  const found = manifests.filter(({ manifest }) => manifest.kind === kind && manifest.metadata.name === name);
  expect(found).toHaveLength(1);
  return found[0]?.manifest as T;
};

interface Container {
  readonly image: string;
  readonly securityContext: object;
}
interface Deployment {
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: { readonly containers: [Container]; readonly securityContext: object };
    };
  };
}

describe('the manifests', () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  let schemas: ReadonlyMap<string, object>;
  beforeAll(async () => {
    schemas = await schemasByKind(root);
  });

  it.each(named)('are what the API server takes: $name', ({ manifest }) => {
    if (KINDS_OF_OTHERS.includes(manifest.kind)) return;
    const schema = schemas.get(`${manifest.apiVersion}/${manifest.kind}`);
    if (schema === undefined)
      throw new Error(`There is no schema of ${manifest.apiVersion} ${manifest.kind}`);
    ajv.validate(schema, manifest);
    expect(ajv.errors ?? []).toEqual([]);
  });

  it('would be refused with a field that is misspelt', () => {
    const { manifest } = manifests.find((each) => each.manifest.kind === CLUSTER_KIND) ?? {};
    const spec = manifest?.['spec'] as object;
    const schema = schemas.get(`ringleader.io/v1alpha1/${CLUSTER_KIND}`) as object;
    expect(ajv.validate(schema, { ...manifest, spec: { ...spec, shard: {} } })).toBe(false);
  });

  it('have samples that the operator takes', () => {
    const samples = manifests.filter(({ manifest }) => manifest.kind === CLUSTER_KIND);
    expect(samples.map(({ file }) => file)).toEqual([
      'k8s/samples/production.yaml',
      'k8s/samples/small.yaml',
    ]);
    for (const { manifest } of samples)
      expect(ringleaderClusterSpecSchema.safeParse(manifest['spec']).error).toBeUndefined();
  });

  it('name each file in a kustomization, and no other', () => {
    for (const kustomization of globSync('k8s/**/kustomization.yaml', { cwd: root })) {
      const folder = kustomization.replace('/kustomization.yaml', '');
      const { resources } = parse(read(kustomization)) as { resources: string[] };
      const beside = globSync('*.yaml', { cwd: join(root, folder) }).filter(
        (name) => name !== 'kustomization.yaml',
      );
      expect(resources.filter((name) => name.endsWith('.yaml')).sort()).toEqual(beside.sort());
    }
  });

  it('run the operator of this version, without any privilege', () => {
    const { spec } = only<Deployment>('Deployment', 'ringleader-operator');
    const [container] = spec.template.spec.containers;
    expect(container.image).toBe(`ringleader/ringleader:${RINGLEADER_VERSION}`);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(spec.template.spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  it('let the operator reach the NATS of every cluster, in a pod or elsewhere', () => {
    const policies = manifests.filter(({ manifest }) => manifest.kind === 'NetworkPolicy');
    expect(policies.map(({ manifest }) => manifest.metadata.name)).toEqual(['ringleader-operator']);
    const { spec } = only<{ spec: { egress: { to?: unknown; ports: { port: unknown }[] }[] } }>(
      'NetworkPolicy',
      'ringleader-operator',
    );
    const anywhere = spec.egress.filter(({ to }) => to === undefined).flatMap(({ ports }) => ports);
    expect(anywhere.map(({ port }) => port)).toContain(4_222);
  });

  it('select the operator’s pods by labels that they have', () => {
    const { labels } = only<Deployment>('Deployment', 'ringleader-operator').spec.template.metadata;
    interface Selecting {
      readonly spec: { readonly selector?: unknown; readonly podSelector?: unknown };
    }
    const selecting = [
      ...['Deployment', 'PodDisruptionBudget', 'PodMonitor', 'NetworkPolicy'].map((kind) =>
        only<Selecting>(kind, 'ringleader-operator'),
      ),
    ];
    for (const { spec } of selecting)
      expect(spec.selector ?? spec.podSelector).toEqual({ matchLabels: labels });
  });

  it('keep all hands but the operator’s off what it owns, by the names that it goes by', () => {
    const policy = JSON.stringify(only('ValidatingAdmissionPolicy', 'ringleader-owned-workloads'));
    const { metadata } = only<Manifest>('ServiceAccount', 'ringleader-operator');
    expect(policy).toContain(`'system:serviceaccount:${metadata.namespace}:${metadata.name}'`);
    expect(policy).toContain(`'${BREAK_GLASS_ANNOTATION}'`);
    // Whoever is refused reads who may: an operator that was installed elsewhere, too.
    expect(policy).toContain(`(system:serviceaccount:${metadata.namespace}:${metadata.name}): change`);
  });

  it('keep nobody’s hands off what only has a name that begins with ours', () => {
    const { spec } = only<{ spec: { matchConditions: [{ expression: string }] } }>(
      'ValidatingAdmissionPolicy',
      'ringleader-owned-workloads',
    );
    // One of the labels that are selected by, and not a part of their text.
    expect(spec.matchConditions[0].expression).toContain(
      "'app.kubernetes.io/name=ringleader' in oldObject.?status.selector.orValue('').split(',')",
    );
  });
});

describe('the Helm chart', () => {
  const template = (name: string): string => read(`k8s/helm/ringleader/templates/${name}`);

  it('names no namespace by itself', () => {
    const templates = globSync('k8s/helm/ringleader/templates/*', { cwd: root });
    expect(templates.length).toBeGreaterThan(6);
    for (const file of templates) expect(read(file)).not.toContain('ringleader-system');
  });

  it('has an expression for each value, and a value for each expression', () => {
    const all = globSync('k8s/helm/ringleader/templates/*', { cwd: root }).map(read).join('\n');
    const asked = new Set([...all.matchAll(/\.Values\.([A-Za-z.]+)/g)].map(([, path = '']) => path));
    const values = parse(read('k8s/helm/ringleader/values.yaml')) as Record<string, object>;
    const { image = {}, ...others } = values;
    const given = [...Object.keys(others), ...Object.keys(image).map((name) => `image.${name}`)];
    expect([...asked].sort()).toEqual(given.sort());
  });

  it('keeps what pods of clusters name when it goes: none of them could be made anew', () => {
    const kept = ['priority-classes.yaml', 'user-roles.yaml'].flatMap((name) =>
      parseAllDocuments(template(name)).flatMap((document) => {
        const { metadata } = document.toJS() as { metadata: { name: string; annotations?: object } };
        return metadata.annotations === undefined ? [] : metadata.name;
      }),
    );
    const classes = ['ringleader-coordination', 'ringleader-data', 'ringleader-edge'];
    expect(kept).toEqual([...classes, 'ringleader-token-review']);
  });

  it('keeps the definition when it goes: with it all clusters would go', () => {
    expect(parse(template('ringleaderclusters.yaml'))).toMatchObject({
      metadata: { annotations: { 'helm.sh/resource-policy': 'keep' } },
    });
  });
});
