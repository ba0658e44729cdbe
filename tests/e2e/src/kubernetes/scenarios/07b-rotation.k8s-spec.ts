/** All that the operator has made for who may do what is replaced under load: nobody is refused, and only nats-servers are rolled. */
import { connect } from 'node:tls';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { expect } from '@jest/globals';
import { ROTATE_ANNOTATIONS } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { RestClient } from '@ringleader/testing-workload';
import type { KubeObject } from '../harness/api.js';
import { answerTo, type ClusterUnderTest } from '../harness/cluster-under-test.js';
import { onKubernetes } from '../harness/given.js';
import { survive } from '../harness/loaded-cluster.js';
import type { Pod } from '../harness/pods.js';
import { scenario } from '../harness/scenario.js';

const SERVICES = ['coordinator', 'shard', 'gateway', 'failure-detector', 'operator'];
const KEYS = SERVICES.map((service) => `nats-${service}`);
/** Two rounds of all nats-servers, and the five minutes in which each pod is given the new keys. */
const ROTATION_MS = 1_200_000;
/** There are two gateways behind one port. */
const CONNECTIONS = 8;

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

async function contentOf(cluster: ClusterUnderTest, part: string): Promise<Readonly<Record<string, string>>> {
  const metadata = { name: `${cluster.name}-${part}`, namespace: cluster.namespace };
  const secret = await cluster.api.get<Secret>({ apiVersion: 'v1', kind: 'Secret', metadata });
  if (secret === null) throw new Error(`there is no Secret ${metadata.name}`);
  return secret.data ?? {};
}

const secretsOf = async (cluster: ClusterUnderTest, parts: readonly string[]) =>
  Promise.all(parts.map((part) => contentOf(cluster, part)));

const fingerprintOf = ({ 'tls.crt': encoded = '' }: Readonly<Record<string, string>>): string =>
  new X509Certificate(Buffer.from(encoded, 'base64')).fingerprint256;

/** What connections are shown, each once. */
async function shown(cluster: ClusterUnderTest): Promise<readonly string[]> {
  const { url, ca } = await cluster.door();
  const { hostname: host, port } = new URL(url);
  const seen = new Set<string>();
  for (let at = 0; at < CONNECTIONS; at += 1) {
    const socket = connect({ host, port: Number(port), ca });
    await once(socket, 'secureConnect');
    seen.add(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  }
  return [...seen];
}

/** Of the nats-servers, or of all others. */
async function uids(cluster: ClusterUnderTest, isServer: boolean): Promise<readonly string[]> {
  const of = (pods: readonly Pod[]): string[] => pods.map(({ metadata: { uid = '' } }) => uid);
  const servers = of(await cluster.pods('nats'));
  return isServer ? servers : of(await cluster.pods()).filter((uid) => !servers.includes(uid));
}

const stillThere = (before: readonly string[], now: readonly string[]): readonly string[] =>
  before.filter((one) => now.includes(one));

onKubernetes('rotation', {}, (of) => {
  scenario('of keys, certificates and the root token under load', of, async ({ cluster, line }) => {
    const [keys, certificates, door] = [
      await secretsOf(cluster, [...KEYS, 'nats-routes']),
      await secretsOf(cluster, ['nats-tls', 'gateway-tls']),
      await cluster.door(),
    ];
    const [servers, others] = [await uids(cluster, true), await uids(cluster, false)];
    await survive(cluster, line, {
      name: 'rotation',
      keys: 600,
      fault: async () => {
        const now = new Date().toISOString();
        const asked = [
          ROTATE_ANNOTATIONS.nats,
          ROTATE_ANNOTATIONS.certificates,
          ROTATE_ANNOTATIONS.rootToken,
        ];
        const annotations = Object.fromEntries(asked.map((name) => [name, now]));
        await cluster.api.patch(cluster.ref, { metadata: { annotations } });
        const isOver = async (): Promise<boolean> => {
          const present = await secretsOf(cluster, [...KEYS, 'nats-routes']);
          return present.every(
            (content, at) =>
              !('next' in content) &&
              !('previous' in content) &&
              (content['seed'] ?? content['password']) !== (keys[at]?.['seed'] ?? keys[at]?.['password']),
          );
        };
        await until('the keys before are forgotten', isOver, { timeoutMs: ROTATION_MS, everyMs: 2_000 });
        line.mark('all keys are new ones');
        await cluster.untilSettled(ROTATION_MS);
      },
    });

    const [natsTls, gatewayTls] = await secretsOf(cluster, ['nats-tls', 'gateway-tls']);
    const issued = [natsTls, gatewayTls].map((content) => fingerprintOf(content ?? {}));
    expect(stillThere(certificates.map(fingerprintOf), issued)).toEqual([]);
    expect(await shown(cluster)).toEqual([issued[1]]);
    const anew = await cluster.door();
    expect(anew.token).not.toBe(door.token);
    for (const { token } of [door, anew]) {
      const client = new RestClient(anew.url, 1, { ca: anew.ca, token });
      const seen = await answerTo('/v1/cluster', () => client.request('GET', '/v1/cluster'));
      expect(seen).toMatchObject({ status: 200 });
      await client.close();
    }
    expect(stillThere(servers, await uids(cluster, true))).toEqual([]);
    expect(await uids(cluster, false)).toEqual(others);
  });
});
