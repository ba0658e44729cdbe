/**
 * The certificates of a cluster that is its own authority: issued anew when two thirds of their time are over, when they are for other
 * names, or when that is asked for. An authority is replaced in steps, each of which waits until the one before has reached everybody.
 */
import { isIP } from 'node:net';
import {
  bundle,
  certificatesIn,
  createAuthority,
  isIssuedBy,
  issuedAtMs,
  isValidAt,
  renewAtMs,
  whyReissue,
} from '@ringleader/certificates';
import type { Authority, LeafIdentity } from '@ringleader/certificates';
import { ROTATE_ANNOTATIONS } from '@ringleader/contracts';
import type { RingleaderCluster } from '@ringleader/contracts';
import { CONFIG_MAPS, SECRETS } from '../kubernetes/kinds.js';
import { type Asked, askedIn, isOlder } from '../planning/asked.js';
import {
  authorityConfigMap,
  gatewayHosts,
  managedNats,
  natsCertificateHosts,
  secretNames,
} from '../resources/index.js';
import { isServed } from './nats-servers.js';
import { factsOf, issuedBy, lacking } from './secret-content.js';
import type { Content } from './secret-content.js';
import { placeOf, type SecretStore } from './secret-store.js';
import type { SecretStoreOptions } from './secret-store.js';

export interface OwnCertificatesOptions extends Pick<SecretStoreOptions, 'known'> {
  readonly store: SecretStore;
  readonly nowMs: () => number;
  readonly onMade: (cluster: RingleaderCluster, what: string) => void;
}

const DAY_MS = 86_400_000;
const AUTHORITY_FOR_MS = 3_650 * DAY_MS;
const LEAF_FOR_MS = 90 * DAY_MS;
/** So long a new authority is made known, before it signs in place of the one before. */
const MADE_KNOWN_MS = 3_600_000;
/** So long it takes at most, and as long again, until a kubelet has written a Secret that has changed into all pods. */
export const WRITTEN_AFTER_MS = 300_000;
/** Whoever calls has had an hour to take the new one. */
const AUTHORITY_BEFORE_MS = 2 * MADE_KNOWN_MS;

export class OwnCertificates {
  constructor(private readonly options: OwnCertificatesOptions) {}

  /** By the names of their Secrets. */
  async keep(cluster: RingleaderCluster): Promise<Readonly<Record<string, Content>>> {
    const { store } = this.options;
    const { name } = cluster.metadata;
    const { tls } = cluster.spec.security.gateway;
    const authority = await this.#authority(cluster);
    const found: Record<string, Content> = {
      [secretNames.authority(cluster)]: { 'tls.crt': authority.trusted },
    };
    await store.apply(cluster, CONFIG_MAPS, authorityConfigMap(cluster, authority.trusted));
    if (managedNats(cluster) !== null) {
      const identity: LeafIdentity = {
        commonName: `${name}-nats`,
        dnsNames: natsCertificateHosts(cluster),
        addresses: [],
        // Routes are made by servers, to servers.
        usages: ['server', 'client'],
      };
      const secret = secretNames.natsTls(cluster);
      found[secret] = await this.#leaf(cluster, secret, identity, authority);
    }
    if (!tls.enabled) return found;
    if (tls.secretName !== undefined) {
      const content = await store.read(cluster, tls.secretName);
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
    const { store, known } = this.options;
    const nowMs = this.options.nowMs();
    const name = secretNames.authority(cluster);
    const make = (): Promise<Authority> =>
      createAuthority({
        commonName: `${cluster.metadata.name} (Ringleader)`,
        notBeforeMs: nowMs,
        validForMs: AUTHORITY_FOR_MS,
      });
    const present = await store.once(cluster, name, ['ca.crt', 'ca.key'], async () => {
      const { certificatePem, keyPem } = await make();
      return { 'ca.crt': certificatePem, 'ca.key': keyPem };
    });
    const all = certificatesIn(present['ca.crt'] ?? '');
    const [newest] = all;
    if (newest === undefined) throw lacking(name, 'no certificate is in its file ca.crt');
    for (const one of all) factsOf(one, name);
    // One that somebody else has made is theirs to change.
    if (known.get({ ...placeOf(cluster, SECRETS), name }) === undefined) return trustOf(present, nowMs);
    const asked = this.#asked(cluster, 'authority');
    const isDue = !isValidAt(newest, nowMs) || nowMs >= renewAtMs(newest);
    if (!isDue && !isOlder(asked, issuedAtMs(newest)))
      return trustOf(await this.#forgetting(cluster, present, asked), nowMs);
    const { certificatePem, keyPem } = await make();
    const data = { 'ca.crt': bundle([certificatePem, present['ca.crt'] ?? ''], nowMs), 'ca.key': keyPem };
    await store.always(cluster, { name, data });
    return trustOf(data, nowMs);
  }

  /** An authority that was to be replaced is not trusted for as long as it could be, but for as long as what it has issued is shown. */
  async #forgetting(cluster: RingleaderCluster, present: Content, asked: Asked): Promise<Content> {
    const [newest = '', ...before] = certificatesIn(present['ca.crt'] ?? '');
    const isKnown = this.options.nowMs() - issuedAtMs(newest) >= AUTHORITY_BEFORE_MS;
    const mayForget = isKnown && this.#isAllShown(cluster, newest);
    const kept = before.filter((one) => !mayForget || !isOlder(asked, issuedAtMs(one)));
    if (kept.length === before.length) return present;
    const data = { ...present, 'ca.crt': [newest, ...kept].join('') };
    await this.options.store.always(cluster, { name: secretNames.authority(cluster), data });
    return data;
  }

  /** Whether all shows what this authority has issued: nats-servers once they are rolled, gateways once the kubelet has written it. */
  #isAllShown(cluster: RingleaderCluster, authorityPem: string): boolean {
    const { store, known } = this.options;
    const { enabled, secretName } = cluster.spec.security.gateway.tls;
    const nowMs = this.options.nowMs();
    const hasServers = managedNats(cluster) !== null;
    const names = [
      ...(hasServers ? [secretNames.natsTls(cluster)] : []),
      ...(enabled && secretName === undefined ? [secretNames.gatewayTls(cluster)] : []),
    ];
    const isWritten = (name: string): boolean => {
      const pem = store.remembered(cluster, name)?.['tls.crt'] ?? '';
      return isIssuedBy(pem, authorityPem) && nowMs - issuedAtMs(pem) >= WRITTEN_AFTER_MS;
    };
    return names.every(isWritten) && (!hasServers || isServed(cluster, store, known));
  }

  async #leaf(
    cluster: RingleaderCluster,
    name: string,
    identity: LeafIdentity,
    trust: Trust,
  ): Promise<Content> {
    const { store, onMade } = this.options;
    const { signer, trusted } = trust;
    const nowMs = this.options.nowMs();
    const present = await store.read(cluster, name);
    const asked = this.#asked(cluster, 'certificates');
    const why = whyReissue({
      certificatePem: present?.['tls.crt'] ?? null,
      identity,
      authorityPem: signer.certificatePem,
      nowMs,
      ...(asked.kind === 'before' && { anewBeforeMs: asked.timeMs }),
    });
    const isEarly = why === 'other-authority' && this.#isEarly(cluster, name, present, trust);
    if (present !== null && (why === null || isEarly)) {
      if (present['ca.crt'] === trusted) return present;
      const data = { ...present, 'ca.crt': trusted };
      await store.always(cluster, { name, data, type: 'kubernetes.io/tls' });
      return data;
    }
    const times = { notBeforeMs: nowMs, validForMs: LEAF_FOR_MS };
    const leaf = await issuedBy(signer, secretNames.authority(cluster), { ...identity, ...times });
    const data = { 'tls.crt': leaf.certificatePem, 'tls.key': leaf.keyPem, 'ca.crt': trusted };
    await store.always(cluster, { name, data, type: 'kubernetes.io/tls' });
    onMade(cluster, `the certificate ${name} was issued (${why ?? 'missing'})`);
    return data;
  }

  /** Whether a certificate by the authority before serves on: not everybody may know the new one, as servers that were not rolled since. */
  #isEarly(
    cluster: RingleaderCluster,
    name: string,
    present: Content | null,
    { trusted, isFresh }: Trust,
  ): boolean {
    const { store, known, nowMs } = this.options;
    if (present === null || certificatesIn(trusted).length === 1) return false;
    if (isFresh || present['ca.crt'] !== trusted) return true;
    const isDue = nowMs() >= renewAtMs(present['tls.crt'] ?? '');
    return name === secretNames.natsTls(cluster) && !isDue && !isServed(cluster, store, known);
  }

  #asked(cluster: RingleaderCluster, what: 'authority' | 'certificates'): Asked {
    return askedIn(cluster, ROTATE_ANNOTATIONS[what], this.options.nowMs());
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
