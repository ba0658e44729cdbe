/** Each container's environment, read by the service's own schema: what it does not know would keep all pods from starting. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { loadConfig } from '@ringleader/config';
import type { Manifest } from '../planning/types.js';
import { find, objectsOf, templateOf, type Container } from '../../test/resources.fixtures.js';
import type { z } from 'zod';

const APPS = fileURLToPath(new URL('../../../../apps', import.meta.url));
/** By file: no app imports another. */
async function schemaOf(service: string): Promise<z.ZodObject> {
  const file = pathToFileURL(join(APPS, service, 'src', `${service}.config.ts`)).href;
  const exported = Object.entries((await import(file)) as Record<string, unknown>);
  const [, schema] = exported.find(([name]) => name.endsWith('ConfigSchema')) ?? [];
  return schema as z.ZodObject;
}

const FIELDS: Readonly<Record<string, string>> = {
  'metadata.name': 'demo-pod-1',
  'status.podIP': '10.0.0.7',
  "metadata.labels['apps.kubernetes.io/pod-index']": '2',
};

describe.each([
  ['as it is by default', {}],
  [
    'open, by plain HTTP, with zones and servers of NATS that are there already',
    {
      shards: { replicas: 4, zoneTopologyKey: 'topology.kubernetes.io/zone' },
      gateways: { hosts: ['kv.example.com', '192.0.2.7'] },
      security: { gateway: { tls: { enabled: false }, authentication: false } },
      nats: { external: { servers: ['tls://nats.example.com:4222'], credentialsSecret: 'nats' } },
    },
  ],
  ['with tokens of ServiceAccounts', { security: { gateway: { serviceAccountTokens: true } } }],
])('the environment of a cluster %s', (_, spec) => {
  const objects = objectsOf(spec);
  let root: string;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'ringleader-environment-'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  /** Files as the volumes have them, below a folder; what is not of a ConfigMap has some text. */
  function fileOf(path: string): string {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, textOf(objects, path));
    return file;
  }

  function environmentOf({ env = [] }: Container): Record<string, string> {
    const known: Record<string, string> = {};
    for (const { name, value, valueFrom } of env) {
      const raw = valueFrom === undefined ? (value ?? '') : (FIELDS[valueFrom.fieldRef.fieldPath] ?? '');
      const text = raw.replace(/\$\((\w+)\)/g, (all, other: string) => known[other] ?? all);
      known[name] = name.endsWith('_FILE') ? fileOf(text) : text;
    }
    return known;
  }

  it.each(['coordinator', 'shard', 'failure-detector', 'gateway'])('is one for a %s', async (service) => {
    const { containers } = templateOf(objects, `demo-${service}`).spec;
    const [container] = containers;
    const schema = await schemaOf(service);
    const environment = environmentOf(container as Container);
    const later = { ...environment, RINGLEADER_OF_A_LATER_OPERATOR: '1' };
    expect(() => loadConfig(schema, later, null)).not.toThrow();
    const config = loadConfig(schema, environment, null);
    expect(config['RINGLEADER_CLUSTER']).toBe('demo');
    const numbered = ['coordinator', 'shard'].includes(service);
    expect(config['RINGLEADER_MEMBER']).toBe(numbered ? `${service}-2` : 'demo-pod-1');
  });
});

function textOf(objects: readonly Manifest[], path: string): string {
  const name = path.split('/').at(-1) ?? '';
  if (!path.includes('/bootstrap/')) return 'text';
  const { data } = find(objects, 'ConfigMap', 'demo-coordinator') as unknown as {
    data: Record<string, string>;
  };
  return data[name] ?? '';
}
