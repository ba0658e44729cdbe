import { describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ringleaderClusterSpecSchema } from '@ringleader/contracts';
import { z } from 'zod';
import { customResourceDefinition } from './custom-resource-definition.js';
import { generatedFiles } from './generated-files.js';
import { structuralSchema, type StructuralSchema } from './structural-schema.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

const definition = customResourceDefinition();
const [version] = definition.spec.versions;
const whole = version?.schema.openAPIV3Schema as StructuralSchema;

function* nodesOf(node: StructuralSchema, path = ''): Generator<readonly [string, StructuralSchema]> {
  yield [path, node];
  for (const [name, field] of Object.entries(node.properties ?? {})) yield* nodesOf(field, `${path}.${name}`);
  if (node.items !== undefined) yield* nodesOf(node.items, `${path}[]`);
  if (node.additionalProperties !== undefined) yield* nodesOf(node.additionalProperties, `${path}.*`);
}
const nodes = new Map(nodesOf(whole));
const pathsWhere = (wanted: (node: StructuralSchema) => boolean): string[] =>
  [...nodes].filter(([, node]) => wanted(node)).map(([path]) => path);
const specWhere = (wanted: (node: StructuralSchema) => boolean): string[] =>
  pathsWhere(wanted).filter((path) => path.startsWith('.spec'));

describe('the custom resource definition', () => {
  it('is committed as it is generated', async () => {
    for (const [path, text] of await generatedFiles(root))
      expect({ path, text: await readFile(join(root, path), 'utf8') }).toEqual({ path, text });
  });

  it('describes each field in a sentence', () => {
    const isSilent = ({ description = '' }: StructuralSchema): boolean => !/^\S.{6,}\.$/s.test(description);
    // Of metadata the API server takes no description.
    expect(pathsWhere(isSilent)).toEqual(['.metadata']);
  });

  it('has a bound on everything that a user writes, so that rules cost little', () => {
    const isUnbounded = (node: StructuralSchema): boolean =>
      (node.type === 'string' && node['enum'] === undefined && node['maxLength'] === undefined) ||
      (node.type === 'array' && node['maxItems'] === undefined) ||
      (node.additionalProperties !== undefined && node['maxProperties'] === undefined) ||
      (node.type === 'integer' && (node['minimum'] === undefined || node['maximum'] === undefined));
    expect(specWhere(isUnbounded)).toEqual([]);
  });

  it('requires what decides how large a cluster is, and defaults no size that can be dropped', () => {
    expect(whole['required']).toEqual(['spec']);
    expect(nodes.get('.spec')?.['required']).toEqual(['shards']);
    expect(nodes.get('.spec.shards')?.['required']).toEqual(['replicas']);
    expect(nodes.get('.spec.coordinators.replicas')).not.toHaveProperty('default');
  });

  it('defaults each parent of what cannot change, so that taking it out and putting it back passes no rule', () => {
    const comparing = specWhere((node) =>
      JSON.stringify(node['x-kubernetes-validations'] ?? '').includes('oldSelf'),
    );
    expect(comparing.length).toBeGreaterThan(5);
    const parents = comparing.flatMap((path) =>
      path.split('.').map((_, depth, names) => names.slice(0, depth + 1).join('.')),
    );
    const isRequired = ['', '.spec', '.spec.shards'];
    const open = [...new Set(parents)].filter(
      (path) => !isRequired.includes(path) && nodes.get(path)?.['default'] === undefined,
    );
    expect(open).toEqual([]);
  });

  it('takes no empty text for a name, and no entry of a list twice', () => {
    const mayBeEmpty = specWhere(
      ({ type, minLength, ...node }) =>
        type === 'string' && minLength === undefined && !('enum' in node) && !('pattern' in node),
    );
    expect(mayBeEmpty).toEqual([
      '.spec.coordinators.storage.size',
      '.spec.coordinators.storage.storageClassName',
      '.spec.shards.storage.size',
      '.spec.shards.storage.storageClassName',
      '.spec.shards.postgres.settings.*',
      '.spec.gateways.service.annotations.*',
    ]);
    const lists = specWhere(({ type }) => type === 'array');
    expect(lists.map((path) => [path, nodes.get(path)?.['x-kubernetes-list-type']])).toEqual(
      lists.map((path) => [path, 'set']),
    );
  });

  it('lets nobody take a cluster from one NATS to another: its pods would not hear each other', () => {
    expect(nodes.get('.spec.nats')?.['x-kubernetes-validations']).toContainEqual(
      expect.objectContaining({ rule: 'has(self.external) == has(oldSelf.external)' }),
    );
  });

  it('lets kubectl scale it, and wait for it', () => {
    expect(version?.subresources).toMatchObject({
      status: {},
      scale: { specReplicasPath: '.spec.shards.replicas' },
    });
    const { scale } = version?.subresources ?? {};
    for (const path of Object.values(scale ?? {})) expect(nodes.has(path)).toBe(true);
    expect(nodes.get('.status.conditions')).toMatchObject({
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['type'],
    });
    for (const { jsonPath } of version?.additionalPrinterColumns ?? [])
      expect(jsonPath.startsWith('.metadata') || nodes.has(jsonPath)).toBe(true);
  });
});

describe('the operator', () => {
  it('takes each quantity that the definition lets pass', () => {
    const requests = { cpu: '0.500000000000000000000', memory: 2_147_483_648 };
    const spec = { shards: { replicas: 3, resources: { requests } } };
    expect(ringleaderClusterSpecSchema.safeParse(spec).error).toBeUndefined();
  });
});

describe('a structural schema', () => {
  it('is refused where the API server would refuse it', () => {
    const of = (schema: z.ZodType) => () => structuralSchema(z.object({ field: schema }), 'spec');
    expect(of(z.union([z.string(), z.boolean()]))).toThrow(
      'spec.field: the API server takes no alternatives',
    );
    expect(of(z.unknown())).toThrow('spec.field: a type is wanted');
    expect(of(z.strictObject({}))).toThrow('spec.field.* is no schema');
  });

  it('takes whole numbers with the range that they have', () => {
    const of = (schema: z.ZodType) => structuralSchema(schema, 'n');
    expect(of(z.int().min(1).max(5))).toEqual({ type: 'integer', format: 'int32', minimum: 1, maximum: 5 });
    expect(of(z.int().min(0))).toEqual({ type: 'integer', format: 'int64', minimum: 0 });
  });
});
