/** The verbs of the API server, with plain JSON for objects. */
import { pathOf } from './kinds.js';
import type { Kind } from './kinds.js';
import { KubeError, isGone, jsonIn } from './kube-error.js';
import type { KubeHttp } from './kube-http.js';

export const FIELD_MANAGER = 'ringleader-operator';

export interface KubeMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly {
    readonly uid: string;
    readonly kind: string;
    readonly name: string;
  }[];
}

export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: KubeMetadata;
  readonly [part: string]: unknown;
}

/** What is sent: the server fills in the rest. */
export interface NewObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [part: string]: unknown };
  readonly [part: string]: unknown;
}

/** One object: the namespace is '' for what is in none. */
export interface Place {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
}

interface ListOptions {
  readonly namespace: string | null;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

interface Page {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly KubeObject[];
}

const PAGE = 500;
const BY_MANAGER = { fieldManager: FIELD_MANAGER };

export class KubeApi {
  constructor(private readonly http: KubeHttp) {}

  /** As it is now: not out of a cache. */
  get<T extends KubeObject = KubeObject>({ kind, namespace, name }: Place): Promise<T> {
    return this.http.json<T>({ method: 'GET', path: pathOf(kind, namespace, name) });
  }

  async find<T extends KubeObject = KubeObject>(place: Place): Promise<T | null> {
    try {
      return await this.get<T>(place);
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }

  async list(
    kind: Kind,
    options: ListOptions,
  ): Promise<{ readonly items: readonly KubeObject[]; readonly resourceVersion: string }> {
    const items: KubeObject[] = [];
    let page: Page | null = null;
    do {
      const query = queryOf({
        limit: PAGE,
        labelSelector: options.labelSelector,
        fieldSelector: options.fieldSelector,
        continue: page?.metadata.continue,
      });
      const path = pathOf(kind, options.namespace) + query;
      page = await this.http.json<Page>({ method: 'GET', path });
      items.push(...page.items);
    } while (page.metadata.continue !== undefined && page.metadata.continue !== '');
    return { items, resourceVersion: page.metadata.resourceVersion };
  }

  async *watch(
    kind: Kind,
    options: ListOptions & { readonly resourceVersion: string; readonly timeoutSeconds: number },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent, void> {
    const { namespace, ...rest } = options;
    const query = queryOf({ ...rest, watch: true, allowWatchBookmarks: true });
    const path = pathOf(kind, namespace);
    for await (const line of this.http.lines(path + query, signal))
      if (line !== '') yield eventIn(line, `GET ${path}`);
  }

  /** Whether the server has this kind. */
  async has(kind: Kind): Promise<boolean> {
    try {
      const path = `/apis/${kind.apiVersion}`;
      const { resources = [] } = await this.http.json<{ resources?: { name: string }[] }>({
        method: 'GET',
        path,
      });
      return resources.some(({ name }) => name === kind.plural);
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  create<T extends KubeObject = KubeObject>(kind: Kind, namespace: string, body: object): Promise<T> {
    const path = pathOf(kind, namespace) + queryOf(BY_MANAGER);
    return this.http.json<T>({ method: 'POST', path, body });
  }

  /** Server-side apply, taking over what others have set meanwhile. */
  apply(kind: Kind, namespace: string, body: NewObject): Promise<KubeObject> {
    const path = pathOf(kind, namespace, body.metadata.name) + queryOf({ ...BY_MANAGER, force: true });
    return this.http.json({ method: 'PATCH', path, body, contentType: 'application/apply-patch+yaml' });
  }

  /** JSON merge patch: with `metadata.uid` or `metadata.resourceVersion` only while these are so. */
  merge(
    { kind, namespace, name }: Place,
    body: object,
    ...subresource: readonly string[]
  ): Promise<KubeObject> {
    const path = pathOf(kind, namespace, name, ...subresource) + queryOf(BY_MANAGER);
    return this.http.json({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' });
  }

  /** Only while `metadata.resourceVersion` is the present one. */
  replace(kind: Kind, object: KubeObject): Promise<KubeObject> {
    const { name, namespace = '' } = object.metadata;
    const path = pathOf(kind, namespace, name) + queryOf(BY_MANAGER);
    return this.http.json({ method: 'PUT', path, body: object });
  }

  /** `Orphan`: what it owns stays. */
  async delete(
    { kind, namespace, name }: Place,
    uid: string,
    propagationPolicy: 'Background' | 'Orphan' = 'Background',
  ): Promise<void> {
    const body = { preconditions: { uid }, propagationPolicy };
    await this.http.json({ method: 'DELETE', path: pathOf(kind, namespace, name), body });
  }

  async evict({ kind, namespace, name }: Place, uid: string): Promise<void> {
    const body = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace },
      deleteOptions: { preconditions: { uid } },
    };
    await this.http.json({ method: 'POST', path: pathOf(kind, namespace, name, 'eviction'), body });
  }
}

function eventIn(line: string, what: string): WatchEvent {
  const { type, object } = (jsonIn(line, what) ?? {}) as Partial<WatchEvent>;
  const isError = type === 'ERROR' && typeof object === 'object' && object !== null;
  if (type === undefined || (!isError && typeof object?.metadata?.resourceVersion !== 'string'))
    throw new KubeError(0, 'Unreadable', `${what}: a line that is no event`);
  return { type, object };
}

function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const present = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)] as const],
  );
  return present.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(present)).toString()}`;
}
