/**
 * What a cluster needs to know and nobody else may: made once, when it is absent, and left alone until it is asked for anew
 * (rotation.ts); certificates are issued anew when two thirds of their time are over, too.
 */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { createUser } from '@nats-io/nkeys';
import {
  bundle,
  certificatesIn,
  createAuthority,
  describe,
  issue,
  issuedAtMs,
  renewAtMs,
  whyReissue,
} from '@ringleader/certificates';
import type { Authority, LeafIdentity } from '@ringleader/certificates';
import { ROOT_TOKEN_ID, ROTATE_ANNOTATIONS, SERVICES, tokenText } from '@ringleader/contracts';
import type { RingleaderCluster, Service } from '@ringleader/contracts';
import { CONFIG_MAPS, SECRETS, STATEFUL_SETS } from '../kubernetes/kinds.js';
import type { KubeObject } from '../kubernetes/kube-api.js';
import { type Asked, askedIn, isOlder } from '../planning/asked.js';
import type { WorkloadSeen } from '../planning/types.js';
import { workloadSeen } from './observation.js';
import {
  FILES_ANNOTATION,
  PORTS,
  authorityConfigMap,
  componentName,
  gatewayHosts,
  managedNats,
  natsCertificateHosts,
  natsConf,
  natsFilesHash,
  secretManifest,
  secretNames,
  usesCertManager,
} from '../resources/index.js';
import type { NatsAccess } from './data-plane.js';
import { isBetween, nextStep, sinceOf, taken } from './rotation.js';
import type { Rotation } from './rotation.js';
import { fileIn, hashOf, lacking, publicKeyOf } from './secret-content.js';
import type { Content } from './secret-content.js';
import { placeOf, SecretStore } from './secret-store.js';
import type { SecretStoreOptions } from './secret-store.js';

export interface Credentials {
  /** Null while somebody else has not made them yet. */
  readonly access: NatsAccess | null;
  /** Of secrets, by their names. */
  readonly hashes: Readonly<Record<string, string>>;
  /** When certificates end, by the names of their secrets. */
  readonly expiresAtMs: Readonly<Record<string, number>>;
}

export interface CredentialsOptions extends SecretStoreOptions {
  readonly nowMs: () => number;
  readonly onMade: (cluster: RingleaderCluster, what: string) => void;
}

const DAY_MS = 86_400_000;
const AUTHORITY_FOR_MS = 3_650 * DAY_MS;
const LEAF_FOR_MS = 90 * DAY_MS;
/** So long a new authority is made known, before it signs in place of the one before. */
const MADE_KNOWN_MS = 3_600_000;
/** So long it takes at most, and as long again, until a kubelet has written a Secret that has changed into all pods. */
const WRITTEN_AFTER_MS = 300_000;
/** So long the administrator's token before is taken still. */
const TOKEN_BEFORE_MS = 3_600_000;
/** All is issued by a new authority, and everybody has been there since. */
const AUTHORITY_BEFORE_MS = 2 * MADE_KNOWN_MS;

export class CredentialsKeeper {
  readonly #store: SecretStore;

  constructor(private readonly options: CredentialsOptions) {
    this.#store = new SecretStore(options);
  }

  async keep(cluster: RingleaderCluster, optionalKinds: readonly string[]): Promise<Credentials> {
    const names = { tls: secretNames.natsTls(cluster), conf: secretNames.natsConfig(cluster) };
    if (cluster.spec.security.gateway.authentication)
      await this.#rotating(cluster, secretNames.rootToken(cluster), {
        file: 'token',
        asked: this.#asked(cluster, 'rootToken'),
        make: () => tokenText(ROOT_TOKEN_ID, randomBytes(32).toString('base64url')),
        mayShow: (_next, forMs) => forMs >= WRITTEN_AFTER_MS,
        mayForget: (forMs) => forMs >= TOKEN_BEFORE_MS,
      });
    const certificates = usesCertManager(cluster, optionalKinds)
      ? await this.#foreignCertificates(cluster)
      : await this.#ownCertificates(cluster);
    const access =
      managedNats(cluster) === null
        ? await this.#foreignAccess(cluster)
        : await this.#keepNats(cluster, certificates[names.tls]);
    // Whoever has made them: those of cert-manager are in no memory of ours.
    const contents = {
      [names.tls]: certificates[names.tls],
      [names.conf]: this.#store.remembered(cluster, names.conf),
    };
    const hashes = Object.fromEntries(
      Object.entries(contents).flatMap(([name, content]) =>
        content === undefined ? [] : [[name, hashOf(content)] as const],
      ),
    );
    return { access, hashes, expiresAtMs: expiries(certificates) };
  }

  /** With seeds, the routes' password, and the configuration that names all of them. */
  async #keepNats(cluster: RingleaderCluster, tls: Content | undefined): Promise<NatsAccess | null> {
    const asked = this.#asked(cluster, 'nats');
    const isServed = this.#servedBy(cluster, tls);
    const mayForget = (forMs: number): boolean => forMs >= WRITTEN_AFTER_MS;
    const publicKeys = {} as Record<Service, readonly [string, ...string[]]>;
    let operatorSeed = '';
    for (const service of SERVICES) {
      const name = secretNames.natsSeed(cluster, service);
      const content = await this.#rotating(cluster, name, {
        ...{ file: 'seed', asked, mayForget },
        make: () => Buffer.from(createUser().getSeed()).toString(),
        mayShow: (next) => isServed(publicKeyOf(next, name)),
      });
      const [first, ...more] = taken(content, 'seed')
        .map((seed) => publicKeyOf(seed, name))
        .sort();
      publicKeys[service] = [first ?? '', ...more];
      if (service === 'operator') operatorSeed = (content['seed'] ?? '').trim();
    }
    const routes = await this.#rotating(cluster, secretNames.natsRoutes(cluster), {
      ...{ file: 'password', asked, mayForget },
      make: () => randomBytes(32).toString('hex'),
      mayShow: isServed,
    });
    const password = routes['next'] ?? routes['password'] ?? '';
    // Servers cannot take two passwords; each shows its certificate, too.
    const conf = natsConf(cluster, {
      publicKeys,
      routes: { password, isPasswordOptional: isBetween(routes) },
    });
    await this.#store.always(cluster, { name: secretNames.natsConfig(cluster), data: { 'nats.conf': conf } });
    const hosts = natsCertificateHosts(cluster);
    const ca = tls?.['ca.crt'];
    if (ca === undefined) return null;
    const servers = hosts.map((host) => `tls://${host}:${PORTS.nats}`);
    return { servers, ca, seed: operatorSeed };
  }

  /** Whether all servers run with the configuration that there is, and a text is in that. */
  #servedBy(cluster: RingleaderCluster, tls: Content | undefined): (text: string) => boolean {
    const [confName, tlsName] = [secretNames.natsConfig(cluster), secretNames.natsTls(cluster)];
    const conf = this.#store.remembered(cluster, confName);
    const name = componentName(cluster, 'nats');
    const set = this.options.known.get({ ...placeOf(cluster, STATEFUL_SETS), name });
    if (conf === undefined || tls === undefined || set === undefined) return () => false;
    const files = natsFilesHash(cluster, { [confName]: hashOf(conf), [tlsName]: hashOf(tls) });
    const isServed = filesOf(set) === files && isSettled(workloadSeen(set));
    return (text) => isServed && (conf['nats.conf'] ?? '').includes(text);
  }

  async #foreignAccess(cluster: RingleaderCluster): Promise<NatsAccess | null> {
    const { external } = cluster.spec.nats;
    if (external === undefined) return null;
    const name = external.credentialsSecret;
    const content = await this.#store.read(cluster, name);
    if (content === null) throw lacking(name, 'it is not there');
    // Of all: a pod whose seed is missing waits for it without a word.
    for (const service of SERVICES) publicKeyOf(fileIn(content, `${service}.nk`, name).trim(), name);
    const seed = fileIn(content, 'operator.nk', name);
    return { servers: external.servers, ca: content['ca.crt'] ?? null, seed };
  }

  /** By cert-manager, or by the user. */
  async #foreignCertificates(cluster: RingleaderCluster): Promise<Readonly<Record<string, Content>>> {
    const names = [
      ...(managedNats(cluster) === null ? [] : [secretNames.natsTls(cluster)]),
      ...(cluster.spec.security.gateway.tls.enabled ? [gatewaySecret(cluster)] : []),
    ];
    const found: Record<string, Content> = {};
    for (const name of names) {
      const content = await this.#store.read(cluster, name);
      if (content !== null) found[name] = content;
    }
    const ca = Object.values(found).find((content) => content['ca.crt'] !== undefined)?.['ca.crt'];
    if (ca !== undefined) await this.#store.apply(cluster, CONFIG_MAPS, authorityConfigMap(cluster, ca));
    return found;
  }

  async #ownCertificates(cluster: RingleaderCluster): Promise<Readonly<Record<string, Content>>> {
    const { name } = cluster.metadata;
    const { tls } = cluster.spec.security.gateway;
    const authority = await this.#authority(cluster);
    const found: Record<string, Content> = {
      [secretNames.authority(cluster)]: { 'tls.crt': authority.trusted },
    };
    await this.#store.apply(cluster, CONFIG_MAPS, authorityConfigMap(cluster, authority.trusted));
    if (managedNats(cluster) !== null) {
      const identity: LeafIdentity = {
        commonName: `${name}-nats`,
        dnsNames: natsCertificateHosts(cluster),
        addresses: [],
        // Routes are made by servers, to servers.
        usages: ['server', 'client'],
      };
      found[secretNames.natsTls(cluster)] = await this.#leaf(
        cluster,
        secretNames.natsTls(cluster),
        identity,
        authority,
      );
    }
    if (!tls.enabled) return found;
    if (tls.secretName !== undefined) {
      const content = await this.#store.read(cluster, tls.secretName);
      return content === null ? found : { ...found, [tls.secretName]: content };
    }
    const hosts = gatewayHosts(cluster);
    const identity: LeafIdentity = {
      commonName: name,
      dnsNames: hosts.filter((host) => isIP(host) === 0),
      addresses: hosts.filter((host) => isIP(host) !== 0),
      usages: ['server'],
    };
    const secret = secretNames.gatewayTls(cluster);
    return { ...found, [secret]: await this.#leaf(cluster, secret, identity, authority) };
  }

  async #authority(cluster: RingleaderCluster): Promise<Trust> {
    const nowMs = this.options.nowMs();
    const name = secretNames.authority(cluster);
    const make = (): Promise<Authority> =>
      createAuthority({
        commonName: `${cluster.metadata.name} (Ringleader)`,
        notBeforeMs: nowMs,
        validForMs: AUTHORITY_FOR_MS,
      });
    const present = await this.#store.once(cluster, name, ['ca.crt', 'ca.key'], async () => {
      const { certificatePem, keyPem } = await make();
      return { 'ca.crt': certificatePem, 'ca.key': keyPem };
    });
    const [newest] = certificatesIn(present['ca.crt'] ?? '');
    if (newest === undefined) throw lacking(name, 'no certificate is in its file ca.crt');
    const asked = this.#asked(cluster, 'authority');
    if (nowMs < renewAtMs(newest) && !isOlder(asked, issuedAtMs(newest)))
      return trustOf(await this.#forgetting(cluster, present, asked), nowMs);
    const { certificatePem, keyPem } = await make();
    const data = { 'ca.crt': bundle([certificatePem, present['ca.crt'] ?? ''], nowMs), 'ca.key': keyPem };
    await this.#store.always(cluster, { name, data });
    return trustOf(data, nowMs);
  }

  /** An authority that was to be replaced is not trusted for as long as it could be. */
  async #forgetting(cluster: RingleaderCluster, present: Content, asked: Asked): Promise<Content> {
    const [newest = '', ...before] = certificatesIn(present['ca.crt'] ?? '');
    const isKnown = this.options.nowMs() - issuedAtMs(newest) >= AUTHORITY_BEFORE_MS;
    const kept = before.filter((one) => !isKnown || !isOlder(asked, issuedAtMs(one)));
    if (kept.length === before.length) return present;
    const data = { ...present, 'ca.crt': [newest, ...kept].join('') };
    await this.#store.always(cluster, { name: secretNames.authority(cluster), data });
    return data;
  }

  async #leaf(
    cluster: RingleaderCluster,
    name: string,
    identity: LeafIdentity,
    { signer, trusted, isFresh }: Trust,
  ): Promise<Content> {
    const nowMs = this.options.nowMs();
    const present = await this.#store.read(cluster, name);
    const asked = this.#asked(cluster, 'certificates');
    const why = whyReissue({
      certificatePem: present?.['tls.crt'] ?? null,
      identity,
      authorityPem: signer.certificatePem,
      nowMs,
      ...(asked.kind === 'before' && { anewBeforeMs: asked.timeMs }),
    });
    const isEarly = why === 'other-authority' && isFresh && certificatesIn(trusted).length > 1;
    if (present !== null && (why === null || isEarly)) {
      if (present['ca.crt'] === trusted) return present;
      const data = { ...present, 'ca.crt': trusted };
      await this.#store.always(cluster, { name, data, type: 'kubernetes.io/tls' });
      return data;
    }
    const leaf = await issue(signer, {
      ...identity,
      notBeforeMs: nowMs,
      validForMs: LEAF_FOR_MS,
    });
    const data = { 'tls.crt': leaf.certificatePem, 'tls.key': leaf.keyPem, 'ca.crt': trusted };
    await this.#store.always(cluster, { name, data, type: 'kubernetes.io/tls' });
    this.options.onMade(cluster, `the certificate ${name} was issued (${why ?? 'missing'})`);
    return data;
  }

  #asked(cluster: RingleaderCluster, what: keyof typeof ROTATE_ANNOTATIONS): Asked {
    return askedIn(cluster, ROTATE_ANNOTATIONS[what], this.options.nowMs());
  }

  /** As `#once`; and step by step made anew where that is asked for. What somebody else has made is theirs to change. */
  async #rotating(cluster: RingleaderCluster, name: string, rotation: Rotation): Promise<Content> {
    const { file, make } = rotation;
    const present = await this.#store.once(cluster, name, [file], () => ({ [file]: make() }));
    const live = this.options.known.get({ ...placeOf(cluster, SECRETS), name });
    if (live === undefined) return present;
    const since = sinceOf(live);
    const step = nextStep(present, Date.parse(since), this.options.nowMs(), rotation);
    if (step === null) return present;
    const { data } = step;
    await this.#store.apply(
      cluster,
      SECRETS,
      secretManifest(cluster, { name, data, since: step.since ?? since }),
    );
    this.options.onMade(cluster, `${name}: ${step.what}`);
    return data;
  }
}

interface Trust {
  readonly signer: Authority;
  /** All that is to be trusted, the newest first. */
  readonly trusted: string;
  /** Not everybody may know it yet. */
  readonly isFresh: boolean;
}

function trustOf(content: Content, nowMs: number): Trust {
  const trusted = content['ca.crt'] ?? '';
  const [certificatePem = ''] = certificatesIn(trusted);
  const isFresh = nowMs - issuedAtMs(certificatePem) < MADE_KNOWN_MS;
  return { signer: { certificatePem, keyPem: content['ca.key'] ?? '' }, trusted, isFresh };
}

function filesOf(set: KubeObject): string | undefined {
  const { template } = (set['spec'] ?? {}) as { readonly template?: Pick<KubeObject, 'metadata'> };
  return template?.metadata.annotations?.[FILES_ANNOTATION];
}

const isSettled = ({ isCurrent, replicas, readyReplicas, updatedReplicas }: WorkloadSeen): boolean =>
  isCurrent && readyReplicas >= replicas && updatedReplicas >= replicas;

const gatewaySecret = (cluster: RingleaderCluster): string =>
  cluster.spec.security.gateway.tls.secretName ?? secretNames.gatewayTls(cluster);

function expiries(certificates: Readonly<Record<string, Content>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(certificates).flatMap(([name, content]) => {
      const [certificate] = certificatesIn(content['tls.crt'] ?? '');
      return certificate === undefined ? [] : [[name, describe(certificate).notAfterMs] as const];
    }),
  );
}
