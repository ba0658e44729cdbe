import { beforeEach, describe, expect, it } from '@jest/globals';
import { SERVICES, ringleaderClusterSpecSchema } from '@ringleader/contracts';
import type { RingleaderCluster } from '@ringleader/contracts';
import { certificatesIn, createAuthority, isIssuedBy, isValidAt, issue } from '@ringleader/certificates';
import type { KubeObject, NewObject, Place } from '../kubernetes/kube-api.js';
import { natsFilesHash } from '../resources/index.js';
import { CredentialsKeeper } from './credentials.js';
import type { Credentials } from './credentials.js';

const NOW_MS = Date.parse('2026-01-01T00:00:00Z');
let nowMs = NOW_MS;
let annotations: Record<string, string> = {};
/** What is there, by kind and name; what was made by somebody else is in no memory of the operator. */
let objects: Map<string, KubeObject>;
const keyOf = (kind: string, name: string): string => `${kind}/${name}`;

function put(body: NewObject): KubeObject {
  const { name } = body.metadata;
  const creationTimestamp =
    objects.get(keyOf(body.kind, name))?.metadata.creationTimestamp ?? new Date(nowMs).toISOString();
  const metadata = { ...body.metadata, uid: name, resourceVersion: '1', creationTimestamp };
  const object = { ...body, metadata } as KubeObject;
  objects.set(keyOf(body.kind, name), object);
  return object;
}

function secret(name: string, data: Readonly<Record<string, string>>): void {
  const encoded = Object.entries(data).map(([file, text]) => [file, Buffer.from(text).toString('base64')]);
  put({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: Object.fromEntries(encoded) });
}

function dataOf(name: string): Record<string, string> {
  const data = (objects.get(keyOf('Secret', name))?.['data'] ?? {}) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(data).map(([file, text]) => [file, Buffer.from(text, 'base64').toString()]),
  );
}

function keep(spec: object = {}, optionalKinds: readonly string[] = []): Promise<Credentials> {
  const cluster: RingleaderCluster = {
    apiVersion: 'ringleader.io/v1alpha1',
    kind: 'RingleaderCluster',
    metadata: { name: 'demo', namespace: 'ns', uid: 'u', generation: 1, resourceVersion: '1', annotations },
    spec: ringleaderClusterSpecSchema.parse({ shards: { replicas: 3 }, ...spec }),
  };
  const find = <T extends KubeObject>({ kind, name }: Place): Promise<T | null> =>
    Promise.resolve((objects.get(keyOf(kind.kind, name)) ?? null) as T | null);
  const keeper = new CredentialsKeeper({
    api: {
      find,
      create: <T extends KubeObject>(_kind: unknown, _namespace: string, body: object) =>
        Promise.resolve(put(body as NewObject) as T),
      apply: (_kind, _namespace, body) => Promise.resolve(put(body)),
    },
    known: { get: ({ kind, name }) => isOurs(kind.kind, name), note: () => undefined },
    nowMs: () => nowMs,
    onMade: () => undefined,
  });
  return keeper.keep(cluster, optionalKinds);
}

function isOurs(kind: string, name: string): KubeObject | undefined {
  const object = objects.get(keyOf(kind, name));
  return object?.metadata.labels?.['app.kubernetes.io/managed-by'] === undefined ? undefined : object;
}

beforeEach(() => {
  objects = new Map();
  nowMs = NOW_MS;
  annotations = {};
});

describe('credentials', () => {
  it('are the same as often as they are looked at', async () => {
    const first = await keep();
    expect(await keep()).toEqual(first);
    expect(Object.keys(first.hashes).sort()).toEqual(['demo-nats-config', 'demo-nats-tls']);
  });

  it('of cert-manager roll the servers when they are renewed: these read them at their start only', async () => {
    const spec = { security: { certificateIssuer: { name: 'issuer' } } };
    const renew = async (): Promise<void> => {
      const times = { notBeforeMs: NOW_MS - 1_000, validForMs: 86_400_000 };
      const authority = await createAuthority({ commonName: 'another', ...times });
      const identity = { commonName: 'nats', dnsNames: ['nats'], addresses: [], usages: ['server'] as const };
      const { certificatePem, keyPem } = await issue(authority, { ...identity, ...times });
      const files = { 'tls.crt': certificatePem, 'tls.key': keyPem, 'ca.crt': authority.certificatePem };
      secret('demo-nats-tls', files);
    };
    expect((await keep(spec, ['Certificate'])).access).toBeNull();
    await renew();
    const before = await keep(spec, ['Certificate']);
    expect(before.access).not.toBeNull();
    expect(before.hashes['demo-nats-tls']).toMatch(/^[0-9a-f]+$/);
    await renew();
    expect((await keep(spec, ['Certificate'])).hashes['demo-nats-tls']).not.toBe(
      before.hashes['demo-nats-tls'],
    );
  });

  it.each([
    ['demo-root-token', 'token'],
    ['demo-ca', 'ca.key'],
    ['demo-nats-routes', 'password'],
    ['demo-nats-shard', 'seed'],
  ])('that somebody else has made have all their files: %s', async (name, file) => {
    secret(name, { other: 'x', 'ca.crt': 'x' });
    await expect(keep()).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `The Secret ${name} cannot be used: it has no file ${file}`,
    });
  });

  it('may end with a line break, as editors leave it, and are nothing else', async () => {
    const { access } = await keep();
    const { seed = '' } = dataOf('demo-nats-operator');
    secret('demo-nats-operator', { seed: `${seed}\n` });
    expect((await keep()).access).toEqual(access);
    secret('demo-nats-operator', { seed: 'no seed' });
    await expect(keep()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    secret('demo-ca', { 'ca.crt': 'none', 'ca.key': 'none' });
    await expect(keep()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('of which somebody has made nonsense are said to be unusable: what is to go must not fail for another reason', async () => {
    const broken = '-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n';
    await keep();
    const { 'ca.crt': ca = '', 'ca.key': key = '' } = dataOf('demo-ca');
    const cannotBeUsed = (name: string) => ({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`The Secret ${name} cannot be used`) as unknown,
    });
    secret('demo-ca', { 'ca.crt': broken, 'ca.key': key });
    await expect(keep()).rejects.toMatchObject(cannotBeUsed('demo-ca'));
    secret('demo-ca', { 'ca.crt': ca, 'ca.key': 'none' });
    objects.delete('Secret/demo-nats-tls');
    await expect(keep()).rejects.toMatchObject(cannotBeUsed('demo-ca'));
    secret('demo-ca', { 'ca.crt': ca, 'ca.key': key });
    secret('own-tls', { 'tls.crt': broken, 'tls.key': 'x' });
    const spec = { security: { gateway: { tls: { secretName: 'own-tls' } } } };
    await expect(keep(spec)).rejects.toMatchObject(cannotBeUsed('own-tls'));
  });

  it('that are unreadable, and the operator’s, are made anew', async () => {
    await keep();
    const ours = objects.get('Secret/demo-gateway-tls') as KubeObject;
    objects.set('Secret/demo-gateway-tls', { ...ours, data: { 'tls.crt': 'bm9uZQ==' } });
    await keep();
    expect(certificatesIn(dataOf('demo-gateway-tls')['tls.crt'] ?? '')).toHaveLength(1);
  });

  it('are issued once, however somebody spells an address', async () => {
    const spec = { gateways: { hosts: ['2001:DB8:0:0::1', '::FFFF:10.0.0.1', 'KV.example.com'] } };
    await keep(spec);
    const { 'tls.crt': issued } = dataOf('demo-gateway-tls');
    await keep(spec);
    expect(dataOf('demo-gateway-tls')['tls.crt']).toBe(issued);
  });

  it('that were issued by a clock that was ahead are issued anew when it is right again', async () => {
    nowMs = NOW_MS + 365 * 86_400_000;
    await keep();
    nowMs = NOW_MS;
    await keep();
    for (const name of ['demo-nats-tls', 'demo-gateway-tls']) {
      const { 'tls.crt': leaf = '', 'ca.crt': ca = '' } = dataOf(name);
      expect(isValidAt(leaf, nowMs)).toBe(true);
      expect(isIssuedBy(leaf, ca)).toBe(true);
      expect(isValidAt(ca, nowMs)).toBe(true);
    }
  });

  it('that somebody else has made under a name of the operator’s stay as they are', async () => {
    secret('demo-gateway-tls', { 'tls.crt': 'theirs', 'tls.key': 'theirs' });
    await expect(keep()).rejects.toMatchObject({ reason: 'NotOurs' });
    expect(dataOf('demo-gateway-tls')).toEqual({ 'tls.crt': 'theirs', 'tls.key': 'theirs' });
    objects.clear();
    const year = { notBeforeMs: NOW_MS - 300 * 86_400_000, validForMs: 365 * 86_400_000 };
    const { certificatePem, keyPem } = await createAuthority({ commonName: 'theirs', ...year });
    secret('demo-ca', { 'ca.crt': certificatePem, 'ca.key': keyPem });
    await keep();
    expect(dataOf('demo-ca')).toEqual({ 'ca.crt': certificatePem, 'ca.key': keyPem });
    expect(isIssuedBy(dataOf('demo-nats-tls')['tls.crt'] ?? '', certificatePem)).toBe(true);
  });

  it('that cert-manager has left behind are the operator’s to issue, once no issuer is named any more', async () => {
    const annotations = { 'cert-manager.io/certificate-name': 'demo-nats-tls' };
    put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'demo-nats-tls', annotations }, data: {} });
    await keep();
    expect(certificatesIn(dataOf('demo-nats-tls')['tls.crt'] ?? '')).toHaveLength(1);
  });

  it('are issued by nobody else where the issuer that is named is not there', async () => {
    const spec = { security: { certificateIssuer: { name: 'issuer' } } };
    await expect(keep(spec)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('no Certificates of cert-manager') as unknown,
    });
    expect([...objects.keys()]).toEqual([]);
  });

  it('for servers of others are there for each service', async () => {
    await keep();
    const spec = { nats: { external: { servers: ['tls://nats:4222'], credentialsSecret: 'given' } } };
    await expect(keep(spec)).rejects.toMatchObject({
      message: expect.stringContaining('given cannot be used: it is not there'),
    });
    const seeds = SERVICES.map((service): [string, string] => [
      `${service}.nk`,
      dataOf(`demo-nats-${service}`)['seed'] ?? '',
    ]);
    secret('given', Object.fromEntries<string>(seeds.filter(([file]) => file !== 'shard.nk')));
    await expect(keep(spec)).rejects.toMatchObject({
      message: expect.stringContaining('it has no file shard.nk'),
    });
    secret('given', Object.fromEntries<string>(seeds));
    expect((await keep(spec)).access?.servers).toEqual(['tls://nats:4222']);
  });
});

describe('what is asked for anew', () => {
  const ask = (what: string): void => {
    nowMs += 3_600_000;
    annotations = { [`ringleader.io/rotate-${what}`]: new Date(nowMs).toISOString() };
  };
  /** All nats-servers have been rolled for what there is now. */
  function roll({ hashes }: Credentials): void {
    const labels = { 'app.kubernetes.io/managed-by': 'ringleader-operator' };
    const files = natsFilesHash({ metadata: { name: 'demo' } } as RingleaderCluster, hashes);
    put({
      ...{ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'demo-nats', labels } },
      spec: { replicas: 3, template: { metadata: { annotations: { 'ringleader.io/files': files } } } },
      status: { readyReplicas: 3, updatedReplicas: 3 },
    });
  }
  const conf = (): string => dataOf('demo-nats-config')['nats.conf'] ?? '';
  const keysIn = (text: string): number => text.match(/nkey:/g)?.length ?? 0;

  it('are keys of NATS: servers learn of the next ones, then services show them, then the ones before are forgotten', async () => {
    const first = await keep();
    roll(first);
    const before = dataOf('demo-nats-shard')['seed'];
    ask('nats');
    const known = await keep();
    expect(known.access).toEqual(first.access);
    expect(known.hashes).not.toEqual(first.hashes);
    expect(keysIn(conf())).toBe(2 * SERVICES.length);
    // Servers cannot take two passwords of each other: certificates guard their routes meanwhile.
    expect(conf()).not.toMatch(/ authorization \{\n {4}user/);
    nowMs += 3_600_000;
    expect(await keep()).toEqual(known);

    roll(known);
    const shown = await keep();
    expect(dataOf('demo-nats-shard')).toMatchObject({ previous: before });
    expect(shown.access?.seed).not.toBe(first.access?.seed);
    expect(shown.hashes).toEqual(known.hashes);
    nowMs += 299_000;
    expect(await keep()).toEqual(shown);

    nowMs += 1_000;
    const last = await keep();
    expect(Object.keys(dataOf('demo-nats-shard'))).toEqual(['seed']);
    expect(Object.keys(dataOf('demo-nats-routes'))).toEqual(['password']);
    expect(keysIn(conf())).toBe(SERVICES.length);
    expect(conf()).toMatch(/ authorization \{\n {4}user/);
    expect(last.hashes).not.toEqual(shown.hashes);
    roll(last);
    nowMs += 3_600_000;
    // What was asked for is done, however often it is read.
    expect(await keep()).toEqual(last);
  });

  it('is the token of the administrator, beside which the one before is taken for an hour', async () => {
    await keep();
    const { token: before } = dataOf('demo-root-token');
    ask('root-token');
    await keep();
    const { next } = dataOf('demo-root-token');
    expect(dataOf('demo-root-token')).toEqual({ token: before, next });
    nowMs += 300_000;
    await keep();
    expect(dataOf('demo-root-token')).toEqual({ token: next, previous: before });
    nowMs += 3_600_000;
    await keep();
    expect(dataOf('demo-root-token')).toEqual({ token: next });
    await keep();
    expect(dataOf('demo-root-token')).toEqual({ token: next });
  });

  it('are certificates, once', async () => {
    await keep();
    const issued = (): (string | undefined)[] =>
      ['demo-nats-tls', 'demo-gateway-tls', 'demo-ca'].map(
        (name) => dataOf(name)['tls.crt'] ?? dataOf(name)['ca.crt'],
      );
    const [nats, gateway, authority] = issued();
    ask('certificates');
    await keep();
    const anew = issued();
    expect(anew[0]).not.toBe(nats);
    expect(anew[1]).not.toBe(gateway);
    expect(anew[2]).toBe(authority);
    nowMs += 60_000;
    await keep();
    expect(issued()).toEqual(anew);
  });

  const trusted = (): number => certificatesIn(dataOf('demo-nats-tls')['ca.crt'] ?? '').length;

  it('is the authority: known for an hour before it signs, and the one before is trusted for an hour after', async () => {
    roll(await keep());
    const leaf = dataOf('demo-nats-tls')['tls.crt'];
    ask('authority');
    roll(await keep());
    expect(trusted()).toBe(2);
    expect(dataOf('demo-nats-tls')['tls.crt']).toBe(leaf);
    nowMs += 3_600_000;
    roll(await keep());
    expect(trusted()).toBe(2);
    expect(dataOf('demo-nats-tls')['tls.crt']).not.toBe(leaf);
    nowMs += 3_600_000;
    await keep();
    expect(trusted()).toBe(1);
  });

  it('is the authority: it signs nothing for servers until all of them know it', async () => {
    roll(await keep());
    const leaf = dataOf('demo-nats-tls')['tls.crt'];
    ask('authority');
    const known = await keep();
    nowMs += 24 * 3_600_000;
    await keep();
    expect(dataOf('demo-nats-tls')['tls.crt']).toBe(leaf);
    roll(known);
    await keep();
    expect(dataOf('demo-nats-tls')['tls.crt']).not.toBe(leaf);
  });

  it('is the authority: the one before is trusted for as long as a server shows what it has issued', async () => {
    roll(await keep());
    ask('authority');
    roll(await keep());
    // Nobody looked for long, as while the cluster is paused.
    nowMs += 24 * 3_600_000;
    const issued = await keep();
    expect(trusted()).toBe(2);
    nowMs += 3_600_000;
    await keep();
    expect(trusted()).toBe(2);
    roll(issued);
    await keep();
    expect(trusted()).toBe(1);
  });
});
