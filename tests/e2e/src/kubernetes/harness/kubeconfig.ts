/**
 * Where the API server is and who we are, by KUBECONFIG. The client library knows it too, and loads all kinds of Kubernetes' for it:
 * a test needs none of them.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';

export interface Access {
  readonly server: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly token?: string;
  /** As a cluster says it that has a certificate of nobody's. */
  readonly rejectUnauthorized?: false;
}

interface Named<T> {
  readonly name: string;
  readonly value: T;
}
interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: readonly { name: string; context: { cluster: string; user: string } }[];
  readonly clusters: readonly {
    name: string;
    cluster: Readonly<Record<string, unknown>> & { readonly server: string };
  }[];
  readonly users: readonly { name: string; user: User }[];
}
interface User {
  readonly token?: string;
  readonly exec?: { command: string; args?: string[]; env?: { name: string; value: string }[] };
  readonly [field: string]: unknown;
}

function find<T>(list: readonly Named<T>[], name: string, what: string): T {
  const found = list.find((one) => one.name === name);
  if (found === undefined) throw new Error(`KUBECONFIG has no ${what} ${name}`);
  return found.value;
}

/** Fields come as FIELD-data, in base64, or as FIELD, the name of a file. */
async function bytes(from: Readonly<Record<string, unknown>>, field: string): Promise<Buffer | undefined> {
  const [data, file] = [from[`${field}-data`], from[field]];
  if (typeof data === 'string') return Buffer.from(data, 'base64');
  return typeof file === 'string' ? readFile(file) : undefined;
}

interface Credential {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
}

/** As clouds give credentials: by a program of theirs. */
async function ask({ command, args = [], env = [] }: NonNullable<User['exec']>): Promise<Credential> {
  const more = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  const { stdout } = await promisify(execFile)(command, args, { env: { ...process.env, ...more } });
  return (JSON.parse(stdout) as { status: Credential }).status;
}

export async function accessByKubeconfig(): Promise<Access> {
  const [file = ''] = (process.env['KUBECONFIG'] ?? join(homedir(), '.kube/config')).split(':');
  const config = parse(await readFile(file, 'utf8')) as Kubeconfig;
  const named = <T>(list: readonly { name: string }[], field: string): Named<T>[] =>
    list.map((one) => ({ name: one.name, value: (one as unknown as Record<string, T>)[field] as T }));
  type Context = Kubeconfig['contexts'][number]['context'];
  const context = find(named<Context>(config.contexts, 'context'), config['current-context'], 'context');
  type Cluster = Kubeconfig['clusters'][number]['cluster'];
  const cluster = find(named<Cluster>(config.clusters, 'cluster'), context.cluster, 'cluster');
  const user = find(named<User>(config.users, 'user'), context.user, 'user');
  const given = user.exec === undefined ? {} : await ask(user.exec);
  const text = (pem: string | undefined) => (pem === undefined ? undefined : Buffer.from(pem));
  const ca = await bytes(cluster, 'certificate-authority');
  const cert = (await bytes(user, 'client-certificate')) ?? text(given.clientCertificateData);
  const key = (await bytes(user, 'client-key')) ?? text(given.clientKeyData);
  const token = user.token ?? given.token;
  const isUnchecked = cluster['insecure-skip-tls-verify'] === true;
  const rejectUnauthorized = isUnchecked ? (false as const) : undefined;
  const optional = Object.entries({ ca, cert, key, token, rejectUnauthorized }).filter(
    ([, value]) => value !== undefined,
  );
  return { server: cluster.server, ...(Object.fromEntries(optional) as Omit<Access, 'server'>) };
}
