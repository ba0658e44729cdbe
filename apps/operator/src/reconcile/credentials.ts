/**
 * What a cluster needs to know and nobody else may: made once, when it is absent, and left alone after; certificates are issued
 * anew when two thirds of their time are over.
 */
import { createHash, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { createUser, fromSeed } from '@nats-io/nkeys';
import {
  bundle,
  certificatesIn,
  createAuthority,
  describe,
  issue,
  renewAtMs,
  whyReissue,
} from '@ringleader/certificates';
import type { Authority, LeafIdentity } from '@ringleader/certificates';
import { OperationalError, ROOT_TOKEN_ID, SERVICES, tokenText } from '@ringleader/contracts';
import type { RingleaderCluster, Service } from '@ringleader/contracts';
import { CONFIG_MAPS, SECRETS } from '../kubernetes/kinds.js';
import type { Kind } from '../kubernetes/kinds.js';
import type { KubeApi, KubeObject } from '../kubernetes/kube-api.js';
import { isConflict } from '../kubernetes/kube-error.js';
import type { Manifest } from '../planning/types.js';
import {
  PORTS,
  authorityConfigMap,
  gatewayHosts,
  managedNats,
  natsCertificateHosts,
  natsConf,
  secretManifest,
  secretNames,
  usesCertManager,
} from '../resources/index.js';
import type { SecretParts } from '../resources/index.js';
import type { NatsAccess } from './data-plane.js';
import type { Known } from './executor.js';
import { NotNow } from './not-now.js';
import { refuseOthers } from './ownership.js';

export interface Credentials {
  /** Null while somebody else has not made them yet. */
  readonly access: NatsAccess | null;
  /** Of secrets, by their names. */
  readonly hashes: Readonly<Record<string, string>>;
  /** When certificates end, by the names of their secrets. */
  readonly expiresAtMs: Readonly<Record<string, number>>;
}

type CredentialsApi = Pick<KubeApi, 'find' | 'create' | 'apply'>;

/** Of who only reads: what would have to be made is not there now. */
export function readOnly(api: CredentialsApi): CredentialsApi {
  const refuse = (): Promise<never> => Promise.reject(new NotNow('nothing is made now', WAIT_MS));
  return { find: (place) => api.find(place), create: refuse, apply: refuse };
}

export interface CredentialsOptions {
  readonly api: CredentialsApi;
  readonly known: Pick<Known, 'get' | 'note'>;
  readonly nowMs: () => number;
  readonly onMade: (cluster: RingleaderCluster, what: string) => void;
}

type Content = Readonly<Record<string, string>>;

const DAY_MS = 86_400_000;
const AUTHORITY_FOR_MS = 3_650 * DAY_MS;
const LEAF_FOR_MS = 90 * DAY_MS;
/** Clocks of nodes differ. */
const BACKDATED_MS = 300_000;
/** So long a new authority is made known, before it signs in place of the one before. */
const MADE_KNOWN_MS = 3_600_000;
const WAIT_MS = 5_000;

export class CredentialsKeeper {
  constructor(private readonly options: CredentialsOptions) {}

  async keep(cluster: RingleaderCluster, optionalKinds: readonly string[]): Promise<Credentials> {
    const names = { tls: secretNames.natsTls(cluster), conf: secretNames.natsConfig(cluster) };
    const token = (): Content => ({ token: tokenText(ROOT_TOKEN_ID, randomBytes(32).toString('base64url')) });
    if (cluster.spec.security.gateway.authentication)
      await this.#once(cluster, secretNames.rootToken(cluster), ['token'], token);
    const certificates = usesCertManager(cluster, optionalKinds)
      ? await this.#foreignCertificates(cluster)
      : await this.#ownCertificates(cluster);
    const access =
      managedNats(cluster) === null
        ? await this.#foreignAccess(cluster)
        : await this.#keepNats(cluster, certificates[names.tls]?.['ca.crt']);
    // Whoever has made them: those of cert-manager are in no memory of ours.
    const contents = {
      [names.tls]: certificates[names.tls],
      [names.conf]: this.#remembered(cluster, names.conf),
    };
    const hashes = Object.fromEntries(
      Object.entries(contents).flatMap(([name, content]) =>
        content === undefined ? [] : [[name, hashOf(content)] as const],
      ),
    );
    return { access, hashes, expiresAtMs: expiries(certificates) };
  }

  /** With seeds, the routes' password, and the configuration that names all of them. */
  async #keepNats(cluster: RingleaderCluster, ca: string | undefined): Promise<NatsAccess | null> {
    const seeds: Record<string, string> = {};
    const publicKeys = {} as Record<Service, string>;
    for (const service of SERVICES) {
      const make = (): Content => ({ seed: Buffer.from(createUser().getSeed()).toString() });
      const name = secretNames.natsSeed(cluster, service);
      const { seed = '' } = await this.#once(cluster, name, ['seed'], make);
      seeds[service] = seed.trim();
      publicKeys[service] = publicKeyOf(seeds[service], name);
    }
    const password = (): Content => ({ password: randomBytes(32).toString('hex') });
    const routes = await this.#once(cluster, secretNames.natsRoutes(cluster), ['password'], password);
    const conf = natsConf(cluster, { publicKeys, routesPassword: routes['password'] ?? '' });
    await this.#always(cluster, { name: secretNames.natsConfig(cluster), data: { 'nats.conf': conf } });
    const hosts = natsCertificateHosts(cluster);
    if (ca === undefined) return null;
    const servers = hosts.map((host) => `tls://${host}:${PORTS.nats}`);
    return { servers, ca, seed: seeds['operator'] ?? '' };
  }

  async #foreignAccess(cluster: RingleaderCluster): Promise<NatsAccess | null> {
    const { external } = cluster.spec.nats;
    if (external === undefined) return null;
    const name = external.credentialsSecret;
    const content = await this.#read(cluster, name);
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
      const content = await this.#read(cluster, name);
      if (content !== null) found[name] = content;
    }
    const ca = Object.values(found).find((content) => content['ca.crt'] !== undefined)?.['ca.crt'];
    if (ca !== undefined) await this.#apply(cluster, CONFIG_MAPS, authorityConfigMap(cluster, ca));
    return found;
  }

  async #ownCertificates(cluster: RingleaderCluster): Promise<Readonly<Record<string, Content>>> {
    const { name } = cluster.metadata;
    const { tls } = cluster.spec.security.gateway;
    const authority = await this.#authority(cluster);
    const found: Record<string, Content> = {
      [secretNames.authority(cluster)]: { 'tls.crt': authority.trusted },
    };
    await this.#apply(cluster, CONFIG_MAPS, authorityConfigMap(cluster, authority.trusted));
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
      const content = await this.#read(cluster, tls.secretName);
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
        notBeforeMs: nowMs - BACKDATED_MS,
        validForMs: AUTHORITY_FOR_MS,
      });
    const present = await this.#once(cluster, name, ['ca.crt', 'ca.key'], async () => {
      const { certificatePem, keyPem } = await make();
      return { 'ca.crt': certificatePem, 'ca.key': keyPem };
    });
    const [newest] = certificatesIn(present['ca.crt'] ?? '');
    if (newest === undefined) throw lacking(name, 'no certificate is in its file ca.crt');
    if (nowMs < renewAtMs(newest)) return trustOf(present, nowMs);
    const { certificatePem, keyPem } = await make();
    const data = { 'ca.crt': bundle([certificatePem, present['ca.crt'] ?? ''], nowMs), 'ca.key': keyPem };
    await this.#always(cluster, { name, data });
    return trustOf(data, nowMs);
  }

  async #leaf(
    cluster: RingleaderCluster,
    name: string,
    identity: LeafIdentity,
    { signer, trusted, isFresh }: Trust,
  ): Promise<Content> {
    const nowMs = this.options.nowMs();
    const present = await this.#read(cluster, name);
    const why = whyReissue({
      certificatePem: present?.['tls.crt'] ?? null,
      identity,
      authorityPem: signer.certificatePem,
      nowMs,
    });
    const isEarly = why === 'other-authority' && isFresh && certificatesIn(trusted).length > 1;
    if (present !== null && (why === null || isEarly)) {
      if (present['ca.crt'] === trusted) return present;
      const data = { ...present, 'ca.crt': trusted };
      await this.#always(cluster, { name, data, type: 'kubernetes.io/tls' });
      return data;
    }
    const leaf = await issue(signer, {
      ...identity,
      notBeforeMs: nowMs - BACKDATED_MS,
      validForMs: LEAF_FOR_MS,
    });
    const data = { 'tls.crt': leaf.certificatePem, 'tls.key': leaf.keyPem, 'ca.crt': trusted };
    await this.#always(cluster, { name, data, type: 'kubernetes.io/tls' });
    this.options.onMade(cluster, `the certificate ${name} was issued (${why ?? 'missing'})`);
    return data;
  }

  /** What is there counts, whoever has made it, if it has these files. */
  async #once(
    cluster: RingleaderCluster,
    name: string,
    files: readonly string[],
    make: () => Content | Promise<Content>,
  ): Promise<Content> {
    const present = await this.#read(cluster, name);
    if (present !== null) {
      for (const file of files) fileIn(present, file, name);
      return present;
    }
    const data = await make();
    const { namespace } = cluster.metadata;
    try {
      const secret = secretManifest(cluster, { name, data });
      this.options.known.note(await this.options.api.create(SECRETS, namespace, secret));
    } catch (error) {
      if (isConflict(error)) throw new NotNow(`${name} was made meanwhile`, WAIT_MS, { cause: error });
      throw error;
    }
    return data;
  }

  async #always(cluster: RingleaderCluster, parts: SecretParts): Promise<void> {
    const present = await this.#read(cluster, parts.name);
    if (present !== null && isSame(present, parts.data)) return;
    await this.#apply(cluster, SECRETS, secretManifest(cluster, parts));
  }

  async #apply(cluster: RingleaderCluster, kind: Kind, manifest: Manifest): Promise<void> {
    const { namespace } = cluster.metadata;
    const { name } = manifest.metadata;
    if (kind === CONFIG_MAPS) {
      const place = { kind, namespace, name };
      const live = this.options.known.get(place) ?? (await this.options.api.find(place));
      if (live !== null) refuseOthers({ kind: kind.kind, ...live }, cluster);
      const [present, wanted] = [live?.['data'], manifest['data']] as [Content | undefined, Content];
      if (live !== null && isSame(present, wanted)) return;
    }
    this.options.known.note(await this.options.api.apply(kind, namespace, manifest));
  }

  #remembered(cluster: RingleaderCluster, name: string): Content | undefined {
    const secret = this.options.known.get({ ...placeOf(cluster, SECRETS), name });
    return secret === undefined ? undefined : contentOf(secret);
  }

  /** From memory, where it is ours; else as it is now. */
  async #read(cluster: RingleaderCluster, name: string): Promise<Content | null> {
    const place = { ...placeOf(cluster, SECRETS), name };
    const secret = this.options.known.get(place) ?? (await this.options.api.find(place));
    return secret === null ? null : contentOf(secret);
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
  const isFresh = nowMs - describe(certificatePem).notBeforeMs < MADE_KNOWN_MS;
  return { signer: { certificatePem, keyPem: content['ca.key'] ?? '' }, trusted, isFresh };
}

const placeOf = ({ metadata: { namespace } }: RingleaderCluster, kind: Kind) => ({ kind, namespace });

const gatewaySecret = (cluster: RingleaderCluster): string =>
  cluster.spec.security.gateway.tls.secretName ?? secretNames.gatewayTls(cluster);

function contentOf(secret: KubeObject): Content {
  const data = (secret['data'] ?? {}) as Content;
  return Object.fromEntries(
    Object.entries(data).map(([file, text]) => [file, Buffer.from(text, 'base64').toString()]),
  );
}

const lacking = (name: string, what: string): OperationalError =>
  new OperationalError('CONFIG_INVALID', `The Secret ${name} cannot be used: ${what}`, { name });

function fileIn(content: Content, file: string, name: string): string {
  const text = content[file] ?? '';
  if (text.trim() === '') throw lacking(name, `it has no file ${file}`);
  return text;
}

function publicKeyOf(seed: string, name: string): string {
  try {
    return fromSeed(Buffer.from(seed)).getPublicKey();
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw lacking(name, `a seed in it is none of an nkey (${cause.message})`);
  }
}

function isSame(a: Content | undefined, b: Content): boolean {
  const files = new Set([...Object.keys(a ?? {}), ...Object.keys(b)]);
  return [...files].every((file) => a?.[file] === b[file]);
}

function hashOf(content: Content): string {
  const text = JSON.stringify(Object.entries(content).sort(([a], [b]) => (a < b ? -1 : 1)));
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function expiries(certificates: Readonly<Record<string, Content>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(certificates).flatMap(([name, content]) => {
      const [certificate] = certificatesIn(content['tls.crt'] ?? '');
      return certificate === undefined ? [] : [[name, describe(certificate).notAfterMs] as const];
    }),
  );
}
