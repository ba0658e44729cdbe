/** Secrets, and what of them all may read, as they are kept in the API server. */
import type { RingleaderCluster } from '@ringleader/contracts';
import { CONFIG_MAPS, SECRETS } from '../kubernetes/kinds.js';
import type { Kind } from '../kubernetes/kinds.js';
import type { KubeApi } from '../kubernetes/kube-api.js';
import { isConflict } from '../kubernetes/kube-error.js';
import type { Manifest } from '../planning/types.js';
import { secretManifest } from '../resources/index.js';
import type { SecretParts } from '../resources/index.js';
import type { Known } from './executor.js';
import { isIssuedFor } from './issued-secrets.js';
import { NotNow } from './not-now.js';
import { refuseOthers } from './ownership.js';
import { contentOf, fileIn, isSame } from './secret-content.js';
import type { Content } from './secret-content.js';

const WAIT_MS = 5_000;

type SecretsApi = Pick<KubeApi, 'find' | 'create' | 'apply'>;

/** Of who only reads: what would have to be made is not there now. */
export function readOnly(api: SecretsApi): SecretsApi {
  const refuse = (): Promise<never> => Promise.reject(new NotNow('nothing is made now', WAIT_MS));
  return { find: (place) => api.find(place), create: refuse, apply: refuse };
}

export interface SecretStoreOptions {
  readonly api: SecretsApi;
  readonly known: Pick<Known, 'get' | 'note'>;
}

export const placeOf = ({ metadata: { namespace } }: RingleaderCluster, kind: Kind) => ({ kind, namespace });

export class SecretStore {
  constructor(private readonly options: SecretStoreOptions) {}

  /** What is there counts, whoever has made it, if it has these files. */
  async once(
    cluster: RingleaderCluster,
    name: string,
    files: readonly string[],
    make: () => Content | Promise<Content>,
  ): Promise<Content> {
    const present = await this.read(cluster, name);
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

  async always(cluster: RingleaderCluster, parts: SecretParts): Promise<void> {
    const present = await this.read(cluster, parts.name);
    if (present !== null && isSame(present, parts.data)) return;
    await this.apply(cluster, SECRETS, secretManifest(cluster, parts));
  }

  async apply(cluster: RingleaderCluster, kind: Kind, manifest: Manifest): Promise<void> {
    const { namespace } = cluster.metadata;
    const { name } = manifest.metadata;
    const place = { kind, namespace, name };
    const live = this.options.known.get(place) ?? (await this.options.api.find(place));
    // What cert-manager has issued for a Certificate of ours may have outlived that.
    const isLeftOver = live !== null && isIssuedFor(live, name);
    if (live !== null && !isLeftOver) refuseOthers({ kind: kind.kind, ...live }, cluster);
    const [present, wanted] = [live?.['data'], manifest['data']] as [Content | undefined, Content];
    if (kind === CONFIG_MAPS && live !== null && isSame(present, wanted)) return;
    this.options.known.note(await this.options.api.apply(kind, namespace, manifest));
  }

  remembered(cluster: RingleaderCluster, name: string): Content | undefined {
    const secret = this.options.known.get({ ...placeOf(cluster, SECRETS), name });
    return secret === undefined ? undefined : contentOf(secret);
  }

  /** From memory, where it is ours; else as it is now. */
  async read(cluster: RingleaderCluster, name: string): Promise<Content | null> {
    const place = { ...placeOf(cluster, SECRETS), name };
    const secret = this.options.known.get(place) ?? (await this.options.api.find(place));
    return secret === null ? null : contentOf(secret);
  }
}
