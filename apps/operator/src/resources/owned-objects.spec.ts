import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { REST_LIMITS } from '@ringleader/contracts';
import {
  clusterOf,
  find,
  imagesOf,
  objectsOf,
  shapeOf,
  templateOf,
  workloads,
  type Container,
  type Template,
} from '../../test/resources.fixtures.js';
import { COMPONENTS, type Manifest } from '../planning/types.js';
import { quantityBytes } from './memory.js';
import { secretNames } from './names.js';
import { OWNED_KINDS, ownedObjects } from './owned-objects.js';
import { secretManifest } from './secrets.js';

const ZONES = { shards: { replicas: 4, zoneTopologyKey: 'example.com/rack' } };
const EXTERNAL = { nats: { external: { servers: ['tls://nats.example.com'], credentialsSecret: 'keys' } } };
const OPEN = { security: { gateway: { tls: { enabled: false }, authentication: false } } };
const ALL: readonly (readonly [string, Record<string, unknown>])[] = [
  ['by default', {}],
  ['with zones', ZONES],
  ['with servers of NATS that are there already', EXTERNAL],
  ['open', OPEN],
];

const containersOf = ({ spec }: Template): readonly Container[] => [
  ...(spec.initContainers ?? []),
  ...spec.containers,
];

describe.each(ALL)('the objects of a cluster %s', (_, spec) => {
  const objects = objectsOf(spec);
  const pods = workloads(objects);

  it('are each there once, of a kind that the operator has rights for, and go with the cluster', () => {
    const names = objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    const kinds = OWNED_KINDS.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`);
    for (const { apiVersion, kind, metadata } of objects) {
      expect(kinds).toContain(`${apiVersion} ${kind}`);
      expect(metadata.ownerReferences).toMatchObject([{ name: 'demo', uid: 'u-1', controller: true }]);
      expect(metadata.labels).toMatchObject({ 'app.kubernetes.io/managed-by': 'ringleader-operator' });
    }
  });

  it('have pods of restricted rights, with a memory that nobody takes away', () => {
    for (const { template } of pods) {
      expect(template.spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(template.spec['automountServiceAccountToken']).toBe(false);
      for (const { securityContext, resources } of containersOf(template)) {
        expect(securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(resources.limits['memory']).toBe(resources.requests['memory']);
        expect(resources.limits['cpu']).toBeUndefined();
      }
    }
  });

  it('mount what there is, and nobody the seed of another', () => {
    const maps = objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name);
    for (const { template, manifest } of pods) {
      const volumes = new Set(template.spec.volumes.map(({ name }) => name));
      const mounted = containersOf(template).flatMap(({ volumeMounts }) => volumeMounts);
      for (const { name } of mounted) expect([...volumes, 'data']).toContain(name);
      for (const name of volumes) expect(mounted.map((mount) => mount.name)).toContain(name);
      for (const { configMap } of template.spec.volumes) {
        if (configMap !== undefined) expect([...maps, 'demo-ca']).toContain(configMap.name);
      }
      const seeds = JSON.stringify(template).match(
        /demo-nats-(?:coordinator|shard|gateway|failure-detector)"/g,
      );
      const own = `demo-nats-${manifest.metadata.name.slice('demo-'.length)}"`;
      expect(new Set(seeds ?? [own])).toEqual(new Set([own]));
    }
  });

  it('say nothing that the API server would leave out: it would be applied again and again', () => {
    const empty = [...JSON.stringify(objects).matchAll(/"(\w+)":(?:\[\]|\{\}|null|"")/g)];
    // Of these an empty one means something. Those of a policy are left out, and stay ours: another may put nothing into them.
    const kept = ['emptyDir', 'namespaceSelector', 'ingress', 'egress'];
    expect(empty.map(([, name]) => name ?? '').filter((name) => !kept.includes(name))).toEqual([]);
  });

  it('select the pods that they mean', () => {
    const labels = pods.map(({ template }) => template.metadata.labels);
    const selecting = objects.filter(({ kind }) => kind === 'Service' || kind === 'PodDisruptionBudget');
    for (const object of selecting) {
      const { selector } = object['spec'] as { selector: Record<string, unknown> };
      const wanted = Object.entries((selector['matchLabels'] ?? selector) as Record<string, string>);
      const found = labels.filter((own) => wanted.every(([label, value]) => own[label] === value));
      expect(found).toHaveLength(1);
    }
  });

  it('give each probe that runs a command more time than the command takes', () => {
    for (const container of pods.flatMap(({ template }) => containersOf(template))) {
      for (const name of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
        const probe = container[name] as { exec?: { command: string[] }; timeoutSeconds: number } | undefined;
        const [, seconds] = /-t[ ,](\d+)/.exec(probe?.exec?.command.join(',') ?? '') ?? [];
        if (probe?.exec !== undefined) expect(probe.timeoutSeconds).toBeGreaterThan(Number(seconds));
      }
    }
  });

  it('have services that are done half a minute before the grace of their pods ends', () => {
    for (const { template } of pods) {
      const [container] = template.spec.containers;
      const stop = container?.env?.find(({ name }) => name === 'RINGLEADER_STOP_WITHIN_MS');
      if (stop === undefined) continue;
      expect(template.spec['terminationGracePeriodSeconds']).toBe(Number(stop.value) / 1_000 + 30);
    }
  });

  it('leave gateways the longest deadline of a request after the pause with which they stop', () => {
    const [container] = templateOf(objectsOf(), 'demo-gateway').spec.containers;
    const told = (name: string): number => Number(container?.env?.find((one) => one.name === name)?.value);
    const [stop, pause] = [told('RINGLEADER_STOP_WITHIN_MS'), told('RINGLEADER_DRAIN_PAUSE_MS')];
    expect(stop - pause).toBeGreaterThan(REST_LIMITS.timeoutMsMax);
  });
});

describe('pods are not rolled', () => {
  const templates = (objects: readonly Manifest[]) =>
    workloads(objects).map(({ manifest, template }) => [manifest.metadata.name, template]);
  const before = templates(objectsOf());

  it.each([
    ['the cluster was founded', {}, { coordinatorBootstrap: 'join' as const, founders: 1, initialShards: 9 }],
    ['shards were added', { shards: { replicas: 7 } }, {}],
    ['coordinators were added', { coordinators: { replicas: 5 } }, {}],
    ['gateways were added', { gateways: { replicas: 9 } }, {}],
    ['who deletes the cluster deletes its volumes', { deletionPolicy: 'Delete' }, {}],
    ['certificates of gateways were renewed', {}, { secretHashes: { 'demo-gateway-tls': 'x' } }],
  ])('because %s', (_, spec, shape) => {
    expect(templates(objectsOf(spec, shape))).toEqual(before);
  });

  it('but for certificates of NATS, whose servers read them once', () => {
    const after = objectsOf({}, { secretHashes: { 'demo-nats-tls': 'x' } });
    const changed = templates(after).filter(
      ([, template], i) => !isDeepStrictEqual(template, before[i]?.[1]),
    );
    expect(changed.map(([name]) => name)).toEqual(['demo-nats']);
  });

  it('but for what their PostgreSQL is to be set to', () => {
    const after = objectsOf({ shards: { replicas: 3, postgres: { settings: { work_mem: '8MB' } } } });
    expect(templateOf(after, 'demo-shard')).not.toEqual(templateOf(objectsOf(), 'demo-shard'));
  });
});

describe('a StatefulSet', () => {
  it.each(['nats', 'coordinator', 'shard'])('of %s leaves pods and claims to the operator', (component) => {
    const { spec } = find(objectsOf(), 'StatefulSet', `demo-${component}`) as unknown as {
      spec: Record<string, unknown>;
    };
    expect(spec).toMatchObject({
      ordinals: { start: 1 },
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
    });
    expect('volumeClaimTemplates' in spec).toBe(component !== 'nats');
  });

  it('of shards has the database first, as a sidecar, by the user that the shard is, too', () => {
    const {
      initContainers = [],
      securityContext,
      containers,
    } = templateOf(objectsOf(ZONES), 'demo-shard').spec;
    expect(initContainers.map(({ name }) => name)).toEqual(['postgres', 'zone']);
    expect(initContainers[0]).toMatchObject({ restartPolicy: 'Always' });
    expect(initContainers[0]).not.toHaveProperty('lifecycle');
    expect(initContainers[0]).not.toHaveProperty('livenessProbe');
    expect(securityContext).toMatchObject({ runAsUser: 999, fsGroup: 999 });
    expect(containers[0]?.volumeMounts.map(({ name }) => name)).not.toContain('data');
  });

  it('of shards knows no zone where the cluster has none', () => {
    const { initContainers = [], containers } = templateOf(objectsOf(), 'demo-shard').spec;
    expect(initContainers.map(({ name }) => name)).toEqual(['postgres']);
    expect(containers[0]?.env?.map(({ name }) => name)).not.toContain('RINGLEADER_ZONE_FILE');
  });
});

describe('resources of containers', () => {
  it.each([
    [
      { requests: { memory: '1Gi' } },
      { requests: { cpu: '100m', memory: '1Gi' }, limits: { memory: '1Gi' } },
    ],
    [{ limits: { memory: '1Gi' } }, { requests: { cpu: '100m', memory: '1Gi' }, limits: { memory: '1Gi' } }],
    [
      { requests: { cpu: '2' }, limits: { cpu: '3', memory: '2Gi' } },
      { requests: { cpu: '2', memory: '2Gi' }, limits: { cpu: '3', memory: '2Gi' } },
    ],
  ])('that ask for %j are %j', (resources, expected) => {
    const objects = objectsOf({ coordinators: { resources } });
    expect(templateOf(objects, 'demo-coordinator').spec.containers[0]?.resources).toEqual(expected);
  });

  it.each([
    ['512Mi', 512 * 2 ** 20],
    ['1.5G', 1.5e9],
    ['2e3', 2_000],
    ['1Ei', 2 ** 60],
    ['much', null],
  ])('count %s as %p bytes', (text, bytes) => expect(quantityBytes(text)).toBe(bytes));
});

describe('what not every API server has', () => {
  const issuer = { security: { certificateIssuer: { name: 'corporate' } } };
  const kinds = (spec: object, optionalKinds: string[]) =>
    objectsOf({ ...spec }, { optionalKinds }).map(({ kind }) => kind);

  it('is asked for only where it is there', () => {
    expect(kinds(issuer, [])).not.toContain('Certificate');
    expect(kinds({}, ['Certificate'])).not.toContain('Certificate');
    expect(kinds({}, [])).not.toContain('ServiceMonitor');
    expect(kinds({}, ['ServiceMonitor'])).toContain('ServiceMonitor');
  });

  it('issues certificates for all names that are called', () => {
    const objects = objectsOf(
      { ...issuer, gateways: { hosts: ['kv.example.com', '192.0.2.7', '2001:db8::7'] } },
      { optionalKinds: ['Certificate'] },
    );
    expect(find(objects, 'Certificate', 'demo-gateway-tls')).toMatchObject({
      spec: {
        secretName: 'demo-gateway-tls',
        issuerRef: { name: 'corporate', kind: 'Issuer', group: 'cert-manager.io' },
        dnsNames: expect.arrayContaining([
          'demo',
          'demo.space.svc',
          'localhost',
          'kv.example.com',
        ]) as unknown,
        ipAddresses: ['127.0.0.1', '192.0.2.7', '2001:db8::7'],
      },
    });
    expect(find(objects, 'Certificate', 'demo-nats-tls')).toMatchObject({
      spec: { dnsNames: [1, 2, 3].map((i) => `demo-nats-${i}.demo-nats.space.svc`) },
    });
  });
});

describe('images and NATS of one’s own', () => {
  it('are taken where they are named', () => {
    const named = {
      images: { ringleader: 'mine:2', pullSecrets: ['key'] },
      shards: { replicas: 3, postgres: { image: 'pg:17', userId: 70 } },
    };
    expect(imagesOf(objectsOf(named))).toEqual(new Set(['mine:2', 'pg:17', 'nats:1']));
    expect(imagesOf(objectsOf())).toEqual(new Set(['ringleader:1', 'postgres:1', 'nats:1']));
    expect(templateOf(objectsOf(named), 'demo-shard').spec).toMatchObject({
      imagePullSecrets: [{ name: 'key' }],
      securityContext: { runAsUser: 70 },
    });
  });

  it('leaves the servers out where others are used', () => {
    const names = workloads(objectsOf(EXTERNAL)).map(({ manifest }) => manifest.metadata.name);
    const others = COMPONENTS.filter((name) => name !== 'nats').map((name) => `demo-${name}`);
    expect(new Set(names)).toEqual(new Set(others));
  });
});

describe('a Secret', () => {
  it.each([
    ['Retain', false],
    ['Delete', true],
  ])('of a cluster with %s can be made anew, and goes with it: %p', (deletionPolicy, goes) => {
    const name = 'demo-root-token';
    const secret = secretManifest(clusterOf({ deletionPolicy }), { name, data: { token: 'ä' } });
    expect(secret).toMatchObject({ data: { token: 'w6Q=' } });
    expect('immutable' in secret).toBe(false);
    expect('ownerReferences' in secret.metadata).toBe(goes);
  });

  it('is called so that no service shares another’s', () => {
    const cluster = clusterOf();
    expect(secretNames.natsSeed(cluster, 'operator')).toBe('demo-nats-operator');
    const shape = shapeOf(cluster);
    expect(JSON.stringify(ownedObjects(cluster, shape))).not.toContain('demo-nats-operator');
  });
});
