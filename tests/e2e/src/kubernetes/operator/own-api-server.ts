/**
 * An API server of the test's own, with etcd and nothing else: no pod ever runs. It can be restarted without disturbing anybody, and
 * no operator is there but those that the test starts. Both are in one program, which looks at the name that it is called by.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@ringleader/server-processes';
import { until } from '@ringleader/testing-servers';

export const KUBE_PROGRAM =
  process.env['RINGLEADER_E2E_KUBE'] ?? join(homedir(), '.cache', 'kubernetes-lab', 'bin', 'kube');
const READY = { timeoutMs: 180_000, everyMs: 250 };
const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** A write as the server has logged it. */
export interface Write {
  readonly verb: string;
  readonly user: string;
  readonly resource: string;
  readonly name: string;
  readonly status: number;
}

interface AuditEntry {
  readonly stage: string;
  readonly verb: string;
  readonly userAgent?: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource?: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code?: number };
}

export class OwnApiServer {
  private server: ChildProcess | null = null;
  private readonly token = randomBytes(16).toString('hex');

  private constructor(
    private readonly folder: string,
    private readonly ports: { readonly etcd: number; readonly peers: number; readonly api: number },
    private readonly etcd: ChildProcess,
  ) {}

  static get isThere(): boolean {
    return existsSync(KUBE_PROGRAM);
  }

  static async start(): Promise<OwnApiServer> {
    const folder = await mkdtemp(join(tmpdir(), 'ringleader-api-'));
    for (const name of ['etcd', 'kube-apiserver']) await symlink(KUBE_PROGRAM, join(folder, name));
    const [etcd = 0, peers = 0, api = 0] = await freePorts(3);
    const store = `http://127.0.0.1:${etcd}`;
    const peer = `http://127.0.0.1:${peers}`;
    const child = spawn(
      join(folder, 'etcd'),
      [
        ...['--name', 'own', '--data-dir', join(folder, 'etcd-data'), '--log-level', 'error'],
        ...['--listen-client-urls', store, '--advertise-client-urls', store, '--listen-peer-urls', peer],
        ...['--initial-advertise-peer-urls', peer, '--initial-cluster', `own=${peer}`],
      ],
      { stdio: 'ignore' },
    );
    const own = new OwnApiServer(folder, { etcd, peers, api }, child);
    await own.writeFiles();
    await own.serve();
    return own;
  }

  get kubeconfig(): string {
    return join(this.folder, 'kubeconfig');
  }

  /** As when it crashes. */
  async crash(): Promise<void> {
    await end(this.server, 'SIGKILL');
    this.server = null;
  }

  async serve(): Promise<void> {
    const file = (name: string): string => join(this.folder, name);
    this.server = spawn(
      file('kube-apiserver'),
      [
        ...['--etcd-servers', `http://127.0.0.1:${this.ports.etcd}`, '--cert-dir', file('certificates')],
        ...['--bind-address', '127.0.0.1', '--secure-port', String(this.ports.api)],
        ...['--service-account-issuer', 'https://own', '--service-account-key-file', file('key.pem')],
        ...[
          '--service-account-signing-key-file',
          file('key.pem'),
          '--service-cluster-ip-range',
          '10.0.0.0/24',
        ],
        ...['--authorization-mode', 'RBAC', '--token-auth-file', file('tokens.csv')],
        ...['--disable-admission-plugins', 'ServiceAccount', '--audit-policy-file', file('audit.json')],
        ...['--audit-log-path', file('audit.log')],
      ],
      { stdio: 'ignore' },
    );
    const url = `https://127.0.0.1:${this.ports.api}`;
    const { KubernetesApi } = await import('../harness/api.js');
    process.env['KUBECONFIG'] = this.kubeconfig;
    const isReady = async (): Promise<boolean> => {
      const answer = await KubernetesApi.fromEnvironment()
        .send({ method: 'GET', path: '/readyz' })
        .catch(() => null);
      return answer?.status === 200;
    };
    await until(`${url} is ready`, isReady, READY);
  }

  async writes(): Promise<readonly Write[]> {
    const text = await readFile(join(this.folder, 'audit.log'), 'utf8');
    // What is behind the last end of a line is empty, or still being written.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as AuditEntry)
      .filter(({ stage, verb }) => stage === 'ResponseComplete' && WRITES.has(verb))
      .map(({ verb, user, objectRef, responseStatus }) => ({
        verb,
        user: user.username,
        resource: [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/'),
        name: objectRef?.name ?? '',
        status: responseStatus?.code ?? 0,
      }));
  }

  async close(): Promise<void> {
    await end(this.server, 'SIGKILL');
    await end(this.etcd, 'SIGKILL');
    await rm(this.folder, { recursive: true, force: true });
  }

  private async writeFiles(): Promise<void> {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const cluster = { server: `https://127.0.0.1:${this.ports.api}`, 'insecure-skip-tls-verify': true };
    const files: Readonly<Record<string, string>> = {
      'key.pem': privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      'tokens.csv': `${this.token},tester,1,system:masters\n${this.token}-operator,operator,2,system:masters\n`,
      'audit.json': JSON.stringify({
        apiVersion: 'audit.k8s.io/v1',
        kind: 'Policy',
        rules: [{ level: 'Metadata' }],
      }),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.folder, name), text);
    for (const [name, token] of [
      ['kubeconfig', this.token],
      ['operator.kubeconfig', `${this.token}-operator`],
    ] as const) {
      const config = {
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'own',
        clusters: [{ name: 'own', cluster }],
        users: [{ name: 'own', user: { token } }],
        contexts: [{ name: 'own', context: { cluster: 'own', user: 'own' } }],
      };
      await writeFile(join(this.folder, name), JSON.stringify(config));
    }
  }

  /**
   * Of an operator with credentials of its own, so that its writes can be told from the test's; and without the variables of
   * the suite, which it would refuse as unknown.
   */
  operatorEnvironment(pod: string, namespace: string): NodeJS.ProcessEnv {
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('RINGLEADER_'));
    return {
      ...Object.fromEntries(others),
      KUBECONFIG: join(this.folder, 'operator.kubeconfig'),
      POD_NAME: pod,
      POD_NAMESPACE: namespace,
      RINGLEADER_WATCH_NAMESPACE: namespace,
    };
  }
}

async function end(child: ChildProcess | null, signal: NodeJS.Signals): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  child.kill(signal);
  await promise;
}
