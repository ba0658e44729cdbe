/**
 * Connections of members that can be cut, for those who want to see what a cut does: each goes through a proxy in the
 * starter (cuttable-starter.ts). A link that is `silent` carries nothing and says nothing, as a cable that was pulled; one that is `closed`
 * ends and refuses connections, as a server that is gone.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttpServer, request, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServicePlan } from '@ringleader/tool-local-cluster';

const LINK_STATES = ['open', 'silent', 'closed'] as const;
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
  private readonly pairs = new Set<Pair>();
  private state: LinkState = 'open';
  private readonly server = createServer((near) => {
    const pair: Pair = { near, far: null };
    this.pairs.add(pair);
    this.watch(near, pair);
    this.apply(pair);
  });

  constructor(private readonly to: Place) {}

  /** Gives the port, of one that has a port. */
  async listen(at: Place): Promise<number> {
    await once(this.server.listen(at), 'listening');
    return (this.server.address() as Partial<AddressInfo>).port ?? 0;
  }

  turn(state: LinkState): void {
    this.state = state;
    for (const pair of [...this.pairs]) this.apply(pair);
  }

  close(): void {
    this.turn('closed');
    this.server.close();
  }

  private apply(pair: Pair): void {
    const { near } = pair;
    if (this.state === 'closed') return this.end(pair);
    if (this.state === 'silent') {
      for (const socket of [near, pair.far]) socket?.unpipe().pause();
      return;
    }
    pair.far ??= this.watch(connect(this.to), pair);
    near.pipe(pair.far).pipe(near);
  }

  private watch(socket: Socket, pair: Pair): Socket {
    socket.setNoDelay(true);
    // The other side learns of an error by the end of its connection, which follows.
    socket.on('error', () => socket.destroy());
    return socket.once('close', () => {
      if (this.state !== 'silent') this.end(pair);
    });
  }

  private end(pair: Pair): void {
    this.pairs.delete(pair);
    pair.near.destroy();
    pair.far?.destroy();
  }
}

const controlSocket = (dataFolder: string): string => join(dataFolder, 'links.sock');

/** The proxies of one cluster, and the socket in its data folder by which a test turns them. */
export class Links {
  private readonly links = new Map<string, Link[]>();
  private readonly control = createHttpServer((asked, answer) => {
    const [, member, target, state] = (asked.url ?? '').split('/');
    const wanted = LINK_STATES.find((known) => known === state);
    const links = this.links.get(`${member}/${target}`);
    if (wanted !== undefined) for (const link of links ?? []) link.turn(wanted);
    answer.writeHead(wanted === undefined || links === undefined ? 404 : 204).end();
  });

  private constructor(private readonly folder: string) {}

  static async open(dataFolder: string): Promise<Links> {
    const links = new Links(await mkdtemp(join(tmpdir(), 'ringleader-links-')));
    await once(links.control.listen(controlSocket(dataFolder)), 'listening');
    return links;
  }

  /** The plan of the member whose connections go through here. */
  async interpose({ member, env, ...plan }: ServicePlan): Promise<ServicePlan> {
    const { RINGLEADER_NATS_URL: servers = '', RINGLEADER_POSTGRES_URL: postgres } = env;
    const nats = servers.split(',').map(async (text) => {
      const { hostname: host, port } = new URL(text);
      const ours = await this.link(`${member}/nats`, { host, port: Number(port) }, { host, port: 0 });
      return `nats://${host}:${ours}`;
    });
    const linked = { ...env, RINGLEADER_NATS_URL: (await Promise.all(nats)).join() };
    if (postgres === undefined) return { ...plan, member, env: linked };
    const url = new URL(postgres);
    const file = `.s.PGSQL.${url.searchParams.get('port') ?? '5432'}`;
    const folder = await mkdtemp(join(this.folder, 'p'));
    const to = { path: join(url.searchParams.get('host') ?? '', file) };
    await this.link(`${member}/postgres`, to, { path: join(folder, file) });
    url.searchParams.set('host', folder);
    return { ...plan, member, env: { ...linked, RINGLEADER_POSTGRES_URL: url.toString() } };
  }

  async close(): Promise<void> {
    for (const link of [...this.links.values()].flat()) link.close();
    this.control.closeAllConnections();
    await new Promise((resolve) => this.control.close(resolve));
    await rm(this.folder, { recursive: true, force: true });
  }

  private link(name: string, to: Place, at: Place): Promise<number> {
    const link = new Link(to);
    this.links.set(name, [...(this.links.get(name) ?? []), link]);
    return link.listen(at);
  }
}

/** From another process: turns the links of a member of the cluster that runs on the data folder. */
export async function turnLinks(
  dataFolder: string,
  member: string,
  target: LinkTarget,
  state: LinkState,
): Promise<void> {
  const path = `/${member}/${target}/${state}`;
  const asked = request({ socketPath: controlSocket(dataFolder), method: 'PUT', path }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  if (answer.statusCode !== 204) throw new Error(`${member} has no link to ${target}`);
}
