/** The CustomResourceDefinition of a `RingleaderCluster`, from its contract. */
import {
  CLUSTER_GROUP,
  CLUSTER_KIND,
  CLUSTER_PLURAL,
  CLUSTER_RULES,
  CLUSTER_VERSION,
  ringleaderClusterSpecSchema,
  ringleaderClusterStatusSchema,
} from '@ringleader/contracts';
import { structuralSchema } from './structural-schema.js';

export const CRD_NAME = `${CLUSTER_PLURAL}.${CLUSTER_GROUP}`;

/** What `kubectl get rl` shows. */
const COLUMNS = [
  { name: 'Ready', type: 'string', jsonPath: '.status.ready', description: 'Pods that are ready, of all.' },
  { name: 'Shards', type: 'integer', jsonPath: '.status.shards.replicas', description: 'That there are.' },
  { name: 'Leader', type: 'string', jsonPath: '.status.leader', description: 'Of the coordinators.' },
  { name: 'Version', type: 'string', jsonPath: '.status.version', description: 'That all services have.' },
  {
    name: 'Moves',
    type: 'integer',
    jsonPath: '.status.moves.underWay',
    description: 'Partitions on their way.',
  },
  {
    name: 'Phase',
    type: 'string',
    jsonPath: '.status.phase',
    description: 'What the operator is about.',
    priority: 1,
  },
  { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

/** What `kubectl scale` and autoscalers read and write. */
const SCALE = {
  specReplicasPath: '.spec.shards.replicas',
  statusReplicasPath: '.status.shards.replicas',
  labelSelectorPath: '.status.shards.selector',
};

const schema = () => ({
  description:
    'A Ringleader: coordinators, shards with their databases, gateways, failure detectors and NATS, run by the operator.',
  type: 'object',
  required: ['spec'],
  properties: {
    apiVersion: { description: 'ringleader.io/v1alpha1.', type: 'string' },
    kind: { description: 'RingleaderCluster.', type: 'string' },
    metadata: { type: 'object' },
    spec: structuralSchema(ringleaderClusterSpecSchema.describe('What is wanted.'), 'spec'),
    status: structuralSchema(ringleaderClusterStatusSchema.describe('What there is.'), 'status'),
  },
  ...CLUSTER_RULES,
});

export const customResourceDefinition = () => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {
    name: CRD_NAME,
    labels: { 'app.kubernetes.io/name': 'ringleader', 'app.kubernetes.io/part-of': 'ringleader' },
  },
  spec: {
    group: CLUSTER_GROUP,
    scope: 'Namespaced',
    names: {
      kind: CLUSTER_KIND,
      listKind: `${CLUSTER_KIND}List`,
      plural: CLUSTER_PLURAL,
      singular: 'ringleadercluster',
      shortNames: ['rl'],
      categories: ['all', 'ringleader'],
    },
    versions: [
      {
        name: CLUSTER_VERSION,
        served: true,
        storage: true,
        additionalPrinterColumns: COLUMNS,
        subresources: { status: {}, scale: SCALE },
        schema: { openAPIV3Schema: schema() },
      },
    ],
  },
});
