/**
 * Connections of members that can be cut, for those who want to see what a cut does: each goes through a proxy in the
 * starter. A link that is `silent` carries nothing and says nothing, as a cable that was pulled; one that is `closed` ends and
 * refuses connections, as a server that is gone.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
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

/** The proxies of one cluster. */
export class Links {
  private readonly links = new Map<string, Link[]>();

  private constructor(private readonly folder: string) {}

  static async open(): Promise<Links> {
    return new Links(await mkdtemp(join(tmpdir(), 'ringleader-links-')));
  }

  /** The plan of the member whose connections go through here. */
  async interpose(plan: ServicePlan): Promise<ServicePlan> {
    return this.toPostgres(await this.toNats(plan));
  }

  async toNats({ member, env, ...plan }: ServicePlan): Promise<ServicePlan> {
    const { RINGLEADER_NATS_URL: servers = '' } = env;
    // Of an earlier process of this member.
    for (const link of this.links.get(`${member}/nats`) ?? []) link.close();
    this.links.delete(`${member}/nats`);
    const nats = servers.split(',').map(async (text) => {
      const { protocol, hostname: host, port } = new URL(text);
      const ours = await this.link(`${member}/nats`, { host, port: Number(port) }, { host, port: 0 });
      return `${protocol}//${host}:${ours}`;
    });
    return { ...plan, member, env: { ...env, RINGLEADER_NATS_URL: (await Promise.all(nats)).join() } };
  }

  /** False where the member has no such links. */
  turn(member: string, target: LinkTarget, state: LinkState): boolean {
    const links = this.links.get(`${member}/${target}`);
    for (const link of links ?? []) link.turn(state);
    return links !== undefined;
  }

  async close(): Promise<void> {
    for (const link of [...this.links.values()].flat()) link.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async toPostgres(plan: ServicePlan): Promise<ServicePlan> {
    const { RINGLEADER_POSTGRES_URL: postgres } = plan.env;
    if (postgres === undefined) return plan;
    const url = new URL(postgres);
    const file = `.s.PGSQL.${url.searchParams.get('port') ?? '5432'}`;
    const folder = await mkdtemp(join(this.folder, 'p'));
    const to = { path: join(url.searchParams.get('host') ?? '', file) };
    await this.link(`${plan.member}/postgres`, to, { path: join(folder, file) });
    url.searchParams.set('host', folder);
    return { ...plan, env: { ...plan.env, RINGLEADER_POSTGRES_URL: url.toString() } };
  }

  private link(name: string, to: Place, at: Place): Promise<number> {
    const link = new Link(to);
    this.links.set(name, [...(this.links.get(name) ?? []), link]);
    return link.listen(at);
  }
}
