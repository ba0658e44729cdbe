/**
 * JSON Schemas of the kinds that are below k8s/: Kubernetes' own as an API server of 1.34 tells them (`/openapi/v3`, without
 * descriptions, and closed: a field that is misspelt is none), and that of our definition.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CLUSTER_API_VERSION, CLUSTER_KIND } from '@ringleader/contracts';
import { customResourceDefinition } from './custom-resource-definition.js';
import type { StructuralSchema } from './structural-schema.js';

const SCHEMAS_FILE = 'tools/manifests/testdata/kubernetes-1.34.json';
/** Kinds of others, for which there is no schema here. */
export const KINDS_OF_OTHERS = ['PrometheusRule', 'PodMonitor', 'Kustomization'];

interface KubernetesSchemas {
  /** By apiVersion and kind, as apps/v1/Deployment. */
  readonly roots: Readonly<Record<string, string>>;
  readonly definitions: Readonly<Record<string, object>>;
}

/** As a JSON Schema that knows no other field than those that it names. */
function closed(schema: StructuralSchema): object {
  const { properties, items, additionalProperties, ...rest } = schema;
  const of = (each: StructuralSchema): object => closed(each);
  return {
    ...rest,
    ...(properties !== undefined && {
      properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, of(each)])),
      additionalProperties: false,
    }),
    ...(items !== undefined && { items: of(items) }),
    ...(additionalProperties !== undefined && { additionalProperties: of(additionalProperties) }),
  };
}

/** By apiVersion and kind, each whole by itself. */
export async function schemasByKind(root: string): Promise<ReadonlyMap<string, object>> {
  const { roots, definitions } = JSON.parse(
    await readFile(join(root, SCHEMAS_FILE), 'utf8'),
  ) as KubernetesSchemas;
  const ofKubernetes = Object.entries(roots).map(([kind, name]): [string, object] => [
    kind,
    { $ref: `#/definitions/${name}`, definitions },
  ]);
  const [version] = customResourceDefinition().spec.versions;
  const ours = version?.schema.openAPIV3Schema as StructuralSchema;
  return new Map([...ofKubernetes, [`${CLUSTER_API_VERSION}/${CLUSTER_KIND}`, closed(ours)]]);
}
