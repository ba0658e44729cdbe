/**
 * Connections of members that can be cut, for those who want to see what a cut does: each goes through a proxy in the
 * starter. A link that is `silent` carries nothing and says nothing, as a cable that was pulled; one that is `closed`
 * ends and refuses connections, as a server that is gone.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, request, type Server as HttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServicePlan } from './services.js';

export const LINK_STATES = ['open', 'silent', 'closed'] as const;
export type LinkState = (typeof LINK_STATES)[number];
/** What a member talks to: all nats-servers, or its database. */
export type LinkTarget = 'nats' | 'postgres';

type Place = { readonly host: string; readonly port: number } | { readonly path: string };

/** A connection from a member, and ours to whom it wants; null until that is made. */
interface Pair {
  readonly near: Socket;
  far: Socket | null;
}

class Link {
  private readonly server: Server;
  private readonly pairs = new Set<Pair>();
  private state: LinkState = 'open';

  constructor(private readonly to: Place) {
    this.server = createServer((near) => {
      this.take(near);
    });
  }

  async listen(at: Place): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(at, resolve);
    });
    const address = this.server.address();
    return typeof address === 'object' ? (address?.port ?? 0) : 0;
  }

  turn(state: LinkState): void {
    this.state = state;
    for (const pair of [...this.pairs]) this.apply(pair);
  }

  close(): void {
    this.turn('closed');
    this.server.close();
  }

  private take(near: Socket): void {
    const pair: Pair = { near, far: null };
    this.pairs.add(pair);
    this.watch(near, pair);
    this.apply(pair);
  }

  private apply(pair: Pair): void {
    const { near } = pair;
    if (this.state === 'closed') return this.end(pair);
    if (this.state === 'silent') {
      for (const socket of [near, pair.far]) socket?.unpipe().pause();
      return;
    }
    pair.far ??= this.watch(connect(this.to), pair);
    near.pipe(pair.far);
    pair.far.pipe(near);
  }

  private watch(socket: Socket, pair: Pair): Socket {
    socket.setNoDelay(true);
    // The other side learns of an error by the end of its connection, which follows.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      if (this.state !== 'silent') this.end(pair);
    });
    return socket;
  }

  private end(pair: Pair): void {
    this.pairs.delete(pair);
    pair.near.destroy();
    pair.far?.destroy();
  }
}

const POSTGRES_SOCKET = '.s.PGSQL.';

/** The proxies of one cluster, and the socket in its data folder by which a test turns them. */
export class Links {
  private readonly links = new Map<string, Link[]>();

  private constructor(
    private readonly folder: string,
    private readonly control: HttpServer,
  ) {}

  static async open(dataFolder: string): Promise<Links> {
    const control = createHttpServer();
    const links = new Links(await mkdtemp(join(tmpdir(), 'ringleader-links-')), control);
    control.on('request', (asked, answer) => {
      const [, member = '', target = '', state = ''] = (asked.url ?? '').split('/');
      answer.statusCode = links.turn(`${member}/${target}`, state) ? 204 : 404;
      answer.end();
    });
    await new Promise<void>((resolve, reject) => {
      control.once('error', reject).listen(controlSocket(dataFolder), resolve);
    });
    return links;
  }

  /** The plan of the member whose connections go through here. */
  async interpose(plan: ServicePlan): Promise<ServicePlan> {
    const { member, env } = plan;
    const nats = await Promise.all(
      (env['RINGLEADER_NATS_URL'] ?? '').split(',').map(async (text) => {
        const { hostname: host, port } = new URL(text);
        const ours = await this.link(member, 'nats', { host, port: Number(port) }, { host, port: 0 });
        return `nats://${host}:${ours}`;
      }),
    );
    const postgres = env['RINGLEADER_POSTGRES_URL'];
    const database =
      postgres === undefined ? {} : { RINGLEADER_POSTGRES_URL: await this.database(member, postgres) };
    return { ...plan, env: { ...env, RINGLEADER_NATS_URL: nats.join(), ...database } };
  }

  async close(): Promise<void> {
    for (const links of this.links.values()) for (const link of links) link.close();
    this.control.closeAllConnections();
    await new Promise((resolve) => this.control.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  private async database(member: string, text: string): Promise<string> {
    const url = new URL(text);
    const { searchParams } = url;
    const file = `${POSTGRES_SOCKET}${searchParams.get('port') ?? '5432'}`;
    const folder = await mkdtemp(join(this.folder, 'p'));
    const to = { path: join(searchParams.get('host') ?? '', file) };
    await this.link(member, 'postgres', to, { path: join(folder, file) });
    searchParams.set('host', folder);
    return url.toString();
  }

  private async link(member: string, target: LinkTarget, to: Place, at: Place): Promise<number> {
    const link = new Link(to);
    const name = `${member}/${target}`;
    this.links.set(name, [...(this.links.get(name) ?? []), link]);
    return link.listen(at);
  }

  private turn(name: string, wanted: string): boolean {
    const state = LINK_STATES.find((known) => known === wanted);
    const links = this.links.get(name);
    if (state === undefined || links === undefined) return false;
    for (const link of links) link.turn(state);
    return true;
  }
}

const controlSocket = (dataFolder: string): string => join(dataFolder, 'links.sock');

/** From another process: turns the links of a member of the cluster that runs on the data folder. */
export function turnLinks(
  dataFolder: string,
  member: string,
  target: LinkTarget,
  state: LinkState,
): Promise<void> {
  const path = `/${member}/${target}/${state}`;
  return new Promise((resolve, reject) => {
    request({ socketPath: controlSocket(dataFolder), method: 'PUT', path }, (answer) => {
      answer.resume();
      if (answer.statusCode === 204) resolve();
      else reject(new Error(`${member} has no link to ${target}`));
    })
      .once('error', reject)
      .end();
  });
}
