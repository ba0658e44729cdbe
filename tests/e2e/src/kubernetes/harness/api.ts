/**
 * The Kubernetes API as the scenarios use it: objects as plain JSON, by requests of their own, so that a test that restarts the
 * API server meets nothing that hides it. Who may do it is what KUBECONFIG says.
 */
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { accessByKubeconfig, type Access } from './kubeconfig.js';

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly managedFields?: readonly { readonly manager: string; readonly time: string }[];
  };
}
export type Ref = Pick<KubeObject, 'apiVersion' | 'kind'> & {
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  /** That it has done it nevertheless: as for pods that Pod Security would refuse. */
  readonly warnings: readonly string[];
}

/** The API server did not do it; `status` is HTTP's. */
export class ApiRefusal extends Error {
  constructor(
    what: string,
    readonly status: number,
    text: string,
  ) {
    super(`${what}: ${status} ${messageOf(text)}`);
    this.name = 'ApiRefusal';
  }
}

type Query = Readonly<Record<string, string>>;
interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly contentType?: string;
}

interface Resource {
  readonly name: string;
  readonly namespaced: boolean;
  readonly kind: string;
}

const TIMEOUT_MS = 30_000;
const FIELD_MANAGER = 'ringleader-e2e';

export class KubernetesApi {
  private readonly resources = new Map<string, readonly Resource[]>();

  private access: Promise<Access> | undefined;

  /** Of the current context of KUBECONFIG. */
  static fromEnvironment(): KubernetesApi {
    return new KubernetesApi();
  }

  async send({ method, path, query = {}, body, contentType = 'application/json' }: Call): Promise<ApiAnswer> {
    this.access ??= accessByKubeconfig();
    const { server, token, ...tls } = await this.access;
    const url = new URL(`${server}${path}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = {};
    if (text !== undefined) {
      headers['content-type'] = contentType;
      // Node does not count it for DELETE: the next request on the connection would begin with the body.
      headers['content-length'] = String(Buffer.byteLength(text));
    }
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    return roundTrip(url, { method, timeout: TIMEOUT_MS, headers, ...tls }, text);
  }

  async get<T extends KubeObject>(ref: Ref): Promise<T | null> {
    const { status, text } = await this.send({ method: 'GET', path: await this.pathOf(ref) });
    if (status === 404) return null;
    if (status !== 200) throw new ApiRefusal(`get ${nameOf(ref)}`, status, text);
    return JSON.parse(text) as T;
  }

  async list<T extends KubeObject>(
    of: Pick<KubeObject, 'apiVersion' | 'kind'>,
    namespace: string | null,
    labelSelector = '',
  ): Promise<readonly T[]> {
    const path = await this.collectionOf({
      ...of,
      metadata: { name: '', ...(namespace === null ? {} : { namespace }) },
    });
    const query: Query = labelSelector === '' ? {} : { labelSelector };
    const answer = await this.send({ method: 'GET', path, query });
    if (answer.status !== 200) throw new ApiRefusal(`list ${of.kind}`, answer.status, answer.text);
    const { items } = JSON.parse(answer.text) as { items: readonly T[] };
    // In a list the items do not say what they are.
    return items.map((item) => ({ ...item, apiVersion: of.apiVersion, kind: of.kind }));
  }

  /** Server-side, as `kubectl apply --server-side`. */
  async apply(manifest: object): Promise<KubeObject> {
    const ref = manifest as Ref;
    const query = { fieldManager: FIELD_MANAGER, force: 'true' };
    const contentType = 'application/apply-patch+yaml';
    const path = await this.pathOf(ref);
    return this.changing(`apply ${nameOf(ref)}`, {
      method: 'PATCH',
      path,
      query,
      body: manifest,
      contentType,
    });
  }

  /** By a merge patch; `subresource` as in /scale. */
  async patch(ref: Ref, body: object, subresource = ''): Promise<KubeObject> {
    const path = `${await this.pathOf(ref)}${subresource}`;
    const contentType = 'application/merge-patch+json';
    const query = { fieldManager: FIELD_MANAGER };
    return this.changing(`patch ${nameOf(ref)}`, { method: 'PATCH', path, query, body, contentType });
  }

  async create(manifest: object): Promise<KubeObject> {
    const path = await this.collectionOf(manifest as Ref);
    return this.changing(`create ${nameOf(manifest as Ref)}`, { method: 'POST', path, body: manifest });
  }

  /** What is gone already is no failure. */
  async delete(ref: Ref, options: object = {}): Promise<void> {
    const path = await this.pathOf(ref);
    const answer = await this.send({ method: 'DELETE', path, body: options });
    if (answer.status >= 300 && answer.status !== 404)
      throw new ApiRefusal(`delete ${nameOf(ref)}`, answer.status, answer.text);
  }

  /** By the Eviction API; false where a disruption budget says "not now". */
  async evict(namespace: string, pod: string): Promise<boolean> {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace } };
    const { status, text } = await this.send({ method: 'POST', path, body });
    if (status === 429) return false;
    if (status >= 300 && status !== 404) throw new ApiRefusal(`evict ${pod}`, status, text);
    return true;
  }

  async logs(namespace: string, pod: string, container: string, query: Query = {}): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
    const { status, text } = await this.send({
      method: 'GET',
      path,
      query: { container, tailLines: '40', ...query },
    });
    return status === 200 ? text : `(no log: ${status} ${messageOf(text)})`;
  }

  private async changing(what: string, call: Call): Promise<KubeObject> {
    const { status, text } = await this.send(call);
    if (status >= 300) throw new ApiRefusal(what, status, text);
    return JSON.parse(text) as KubeObject;
  }

  private async pathOf(ref: Ref): Promise<string> {
    return `${await this.collectionOf(ref)}/${ref.metadata.name}`;
  }

  private async collectionOf({ apiVersion, kind, metadata: { namespace } }: Ref): Promise<string> {
    const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
    const resource = (await this.resourcesOf(root)).find((it) => it.kind === kind && !it.name.includes('/'));
    if (resource === undefined) throw new Error(`the API server knows no ${kind} in ${apiVersion}`);
    const place = resource.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
    return `${root}${place}/${resource.name}`;
  }

  private async resourcesOf(root: string): Promise<readonly Resource[]> {
    const known = this.resources.get(root);
    if (known !== undefined) return known;
    const { status, text } = await this.send({ method: 'GET', path: root });
    if (status !== 200) throw new ApiRefusal(`discover ${root}`, status, text);
    const { resources } = JSON.parse(text) as { resources: readonly Resource[] };
    this.resources.set(root, resources);
    return resources;
  }
}

function roundTrip(url: URL, options: RequestOptions, body: string | undefined): Promise<ApiAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const { warning } = response.headers;
        resolve({
          status: response.statusCode ?? 0,
          text: Buffer.concat(chunks).toString('utf8'),
          warnings: warning === undefined ? [] : [warning],
        });
      });
    });
    request.once('timeout', () => request.destroy(new Error(`${url.pathname}: no answer`)));
    request.once('error', reject);
    request.end(body);
  });
}

export const nameOf = ({ kind, metadata: { name } }: Ref): string => `${kind}/${name}`;

/** Of a Status, its sentence. */
export function messageOf(text: string): string {
  if (!text.startsWith('{')) return text.trim();
  const { message } = JSON.parse(text) as { message?: unknown };
  return typeof message === 'string' ? message : text;
}
