/**
 * What a cluster needs to know and nobody else may: made once, when it is absent, and left alone until it is asked for anew
 * (rotation.ts); certificates are issued anew when two thirds of their time are over, too.
 */
import { randomBytes } from 'node:crypto';
import { createUser } from '@nats-io/nkeys';
import { certificatesIn } from '@ringleader/certificates';
import {
  OperationalError,
  ROOT_TOKEN_ID,
  ROTATE_ANNOTATIONS,
  SERVICES,
  tokenText,
} from '@ringleader/contracts';
import type { RingleaderCluster, Service } from '@ringleader/contracts';
import { CONFIG_MAPS, SECRETS } from '../kubernetes/kinds.js';
import { type Asked, askedIn } from '../planning/asked.js';
import {
  PORTS,
  authorityConfigMap,
  managedNats,
  natsCertificateHosts,
  natsConf,
  secretManifest,
  secretNames,
  usesCertManager,
} from '../resources/index.js';
import type { NatsAccess } from './data-plane.js';
import { isServed } from './nats-servers.js';
import { OwnCertificates, WRITTEN_AFTER_MS } from './own-certificates.js';
import { isBetween, nextStep, sinceOf, taken } from './rotation.js';
import type { Rotation } from './rotation.js';
import { factsOf, fileIn, hashOf, lacking, publicKeyOf } from './secret-content.js';
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

/** So long the administrator's token before is taken still. */
const TOKEN_BEFORE_MS = 3_600_000;

export class CredentialsKeeper {
  readonly #store: SecretStore;
  readonly #own: OwnCertificates;

  constructor(private readonly options: CredentialsOptions) {
    this.#store = new SecretStore(options);
    this.#own = new OwnCertificates({ ...options, store: this.#store });
  }

  async keep(cluster: RingleaderCluster, optionalKinds: readonly string[]): Promise<Credentials> {
    refuseWithoutIssuer(cluster, optionalKinds);
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
      : await this.#own.keep(cluster);
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
    const conf = this.#store.remembered(cluster, secretNames.natsConfig(cluster))?.['nats.conf'] ?? '';
    const areServed = isServed(cluster, this.#store, this.options.known, tls);
    const isTaken = (text: string): boolean => areServed && conf.includes(text);
    const mayForget = (forMs: number): boolean => forMs >= WRITTEN_AFTER_MS;
    const publicKeys = {} as Record<Service, readonly [string, ...string[]]>;
    let operatorSeed = '';
    for (const service of SERVICES) {
      const name = secretNames.natsSeed(cluster, service);
      const content = await this.#rotating(cluster, name, {
        ...{ file: 'seed', asked, mayForget },
        make: () => Buffer.from(createUser().getSeed()).toString(),
        mayShow: (next) => isTaken(publicKeyOf(next, name)),
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
      mayShow: isTaken,
    });
    const password = routes['next'] ?? routes['password'] ?? '';
    // Servers cannot take two passwords; each shows its certificate, too.
    const data = {
      'nats.conf': natsConf(cluster, {
        publicKeys,
        routes: { password, isPasswordOptional: isBetween(routes) },
      }),
    };
    await this.#store.always(cluster, { name: secretNames.natsConfig(cluster), data });
    const hosts = natsCertificateHosts(cluster);
    const ca = tls?.['ca.crt'];
    if (ca === undefined) return null;
    const servers = hosts.map((host) => `tls://${host}:${PORTS.nats}`);
    return { servers, ca, seed: operatorSeed };
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

/**
 * Whoever names an issuer wants nothing by another: where cert-manager is not there, or not there for a moment, nothing is issued in
 * its place.
 */
function refuseWithoutIssuer(cluster: RingleaderCluster, optionalKinds: readonly string[]): void {
  const { certificateIssuer } = cluster.spec.security;
  if (certificateIssuer === undefined || usesCertManager(cluster, optionalKinds)) return;
  const message = `security.certificateIssuer names ${certificateIssuer.name}, and this API server has no Certificates of cert-manager: install that, or leave the issuer out`;
  throw new OperationalError('CONFIG_INVALID', message, {});
}

const gatewaySecret = (cluster: RingleaderCluster): string =>
  cluster.spec.security.gateway.tls.secretName ?? secretNames.gatewayTls(cluster);

function expiries(certificates: Readonly<Record<string, Content>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(certificates).flatMap(([name, content]) => {
      const [certificate] = certificatesIn(content['tls.crt'] ?? '');
      return certificate === undefined ? [] : [[name, factsOf(certificate, name).notAfterMs] as const];
    }),
  );
}
