/**
 * All that the operator follows: clusters, and whatever has its label, by the cluster that it belongs to. One watch for each
 * kind, for all clusters together.
 */
import type { Logger } from '@ringleader/observability';
import { APPLIED_HASH_ANNOTATION } from '../planning/applied-hash.js';
import { MANAGED_BY } from '../resources/index.js';
import { CLAIMS, CLUSTERS, OPTIONAL, OWNED, PODS } from './kinds.js';
import type { Kind } from './kinds.js';
import type { KubeApi, KubeObject, NewObject, Place } from './kube-api.js';
import { driftOf } from './drift.js';
import { KubeError } from './kube-error.js';
import { ObjectStore, keyText } from './object-store.js';
import { patiently } from './patiently.js';
import { WatchLoop } from './watch-loop.js';

const INSTANCE_LABEL = 'app.kubernetes.io/instance';
const SELECTOR = `app.kubernetes.io/managed-by=${MANAGED_BY}`;

export interface WatchesOptions {
  readonly api: KubeApi;
  /** Null: all. */
  readonly namespace: string | null;
  /** By the text of a cluster's key. */
  readonly onChange: (cluster: string) => void;
  readonly logger: Logger;
}

interface Followed {
  readonly kind: Kind;
  readonly store: ObjectStore;
  readonly loop: WatchLoop;
  /** Aborted for a kind that the API server has no more. */
  readonly ending: AbortController;
}

export class Watches {
  readonly #followed = new Map<string, Followed>();
  /** What this process knows to have been applied, by the uid of the object. */
  readonly #applied = new Map<string, NewObject>();

  constructor(private readonly options: WatchesOptions) {
    for (const kind of [CLUSTERS, PODS, CLAIMS, ...OWNED]) this.#follow(kind);
  }

  get isSynced(): boolean {
    return [...this.#followed.values()].every(({ kind, loop }) => OPTIONAL.includes(kind) || loop.isSynced);
  }

  /** Kinds that not every API server has, and this one does. */
  get optionalKinds(): readonly string[] {
    return OPTIONAL.filter(({ kind }) => this.#followed.has(kind)).map(({ kind }) => kind);
  }

  clusters(): readonly string[] {
    return this.#of(CLUSTERS)
      .all()
      .map(({ metadata: { namespace = '', name } }) => keyText({ namespace, name }));
  }

  cluster(key: string): KubeObject | undefined {
    const [namespace = '', name = ''] = key.split('/');
    return this.#of(CLUSTERS).get({ namespace, name });
  }

  ofCluster(kind: Kind, cluster: string): readonly KubeObject[] {
    return this.#of(kind).inGroup(cluster);
  }

  /** Of all kinds that are made for it. */
  owned(cluster: string): readonly KubeObject[] {
    return [...OWNED, ...OPTIONAL].flatMap(
      ({ kind }) => this.#followed.get(kind)?.store.inGroup(cluster) ?? [],
    );
  }

  get({ kind, namespace, name }: Place): KubeObject | undefined {
    return this.#of(kind).get({ namespace, name });
  }

  /** An object as the API server has answered: its event may come later. */
  note(object: KubeObject): void {
    this.#followed.get(object.kind ?? '')?.store.put(object);
  }

  applied({ metadata: { uid } }: KubeObject, manifest: NewObject): void {
    this.#applied.set(uid, manifest);
  }

  hasAlready(live: KubeObject, manifest: NewObject): boolean {
    return live.metadata.deletionTimestamp === undefined && driftOf(manifest, live) === null;
  }

  /** Whether it is what was applied under this hash, by this process or as one before it has left it. */
  isAsApplied(live: KubeObject, hash: string): boolean {
    const manifest = this.#applied.get(live.metadata.uid);
    if (manifest?.metadata['annotations'] === undefined) return false;
    const { [APPLIED_HASH_ANNOTATION]: applied } = manifest.metadata['annotations'] as Record<string, string>;
    return applied === hash && this.hasAlready(live, manifest);
  }

  /** Settles when all was listed, but for kinds of others: whether these can be is not the operator's. */
  async start(signal: AbortSignal): Promise<void> {
    const loops = [...this.#followed.values()].map(({ loop }) => loop);
    for (const loop of loops) loop.start(signal);
    await patiently(() => this.#followOptionalKinds(signal), { signal, logger: this.options.logger });
    await Promise.all(loops.map((loop) => loop.synced));
  }

  /** Their definitions may come later than the operator, and go before it. */
  async lookForOptionalKinds(signal: AbortSignal): Promise<void> {
    try {
      await this.#followOptionalKinds(signal);
    } catch (error) {
      if (!(error instanceof KubeError)) throw error;
      this.options.logger.warn({ error }, 'Kinds of others were not looked for; trying again');
    }
  }

  async #followOptionalKinds(signal: AbortSignal): Promise<void> {
    for (const kind of OPTIONAL) {
      const isThere = await this.options.api.has(kind);
      const followed = this.#followed.get(kind.kind);
      if (isThere && followed === undefined) {
        const { loop, ending } = this.#follow(kind);
        loop.start(AbortSignal.any([signal, ending.signal]));
      }
      if (isThere || followed === undefined) continue;
      followed.ending.abort();
      this.#followed.delete(kind.kind);
    }
  }

  #follow(kind: Kind): Followed {
    const { api, namespace, onChange, logger } = this.options;
    const groupOf = (object: KubeObject): string | null => clusterOf(kind, object);
    const store = new ObjectStore(groupOf);
    const loop = new WatchLoop({
      ...{ api, kind, namespace, store, logger },
      ...(kind !== CLUSTERS && { labelSelector: SELECTOR }),
      onChange: (object) => {
        const { uid } = object.metadata;
        if (
          store.get({ namespace: object.metadata.namespace ?? '', name: object.metadata.name }) === undefined
        )
          this.#applied.delete(uid);
        const cluster = groupOf(object);
        if (cluster !== null) onChange(cluster);
      },
    });
    const followed = { kind, store, loop, ending: new AbortController() };
    this.#followed.set(kind.kind, followed);
    return followed;
  }

  #of({ kind }: Kind): ObjectStore {
    const followed = this.#followed.get(kind);
    if (followed === undefined) throw new RangeError(`${kind} is not followed`);
    return followed.store;
  }
}

function clusterOf(kind: Kind, { metadata }: KubeObject): string | null {
  const { namespace = '', name, labels } = metadata;
  if (kind === CLUSTERS) return keyText({ namespace, name });
  const instance = labels?.[INSTANCE_LABEL];
  return instance === undefined ? null : keyText({ namespace, name: instance });
}
