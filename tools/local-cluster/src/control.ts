/**
 * How `ringleader local` asks a running starter: by HTTP on loopback, with a token that stands in the data folder's
 * cluster.json, which nobody else may read. One thing at a time is done.
 */
import {
  ERROR_CATALOGUE,
  MEMBER_ACTIONS,
  OperationalError,
  type MemberAction,
  type StarterPlace,
} from '@ringleader/contracts';
import { StartError } from '@ringleader/server-processes';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

const shardRequest = z.strictObject({
  zone: z.string().max(64).optional(),
  weight: z.number().min(0.01).max(100).optional(),
});
export type ShardRequest = z.infer<typeof shardRequest>;

export interface Controlled {
  /** While it starts, or stops, nothing is done for anybody. */
  readonly isServing: boolean;
  /** Gives the sentence about it. */
  act(member: string, action: MemberAction): Promise<string>;
  addShard(wanted: ShardRequest): Promise<{ readonly member: string }>;
  /** One more, or another in the place of one, whose data are deleted. */
  addCoordinator(former?: string): Promise<{ readonly member: string }>;
}

export class Control {
  readonly place: StarterPlace;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly controlled: Controlled,
    private readonly server: Server,
  ) {
    const { port } = server.address() as AddressInfo;
    this.place = { url: `http://127.0.0.1:${port}`, token: randomBytes(24).toString('base64url') };
    server.on('request', (request, response) => void this.#answer(request, response));
    server.unref();
  }

  static async open(controlled: Controlled): Promise<Control> {
    const server = createServer();
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return new Control(controlled, server);
  }

  /** What is being done is done to its end. */
  async close(): Promise<void> {
    this.server.close();
    this.server.closeIdleConnections();
    let last: unknown;
    while (last !== this.#turn) await (last = this.#turn);
  }

  /** After what was asked for before. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(task);
    // Whoever asked for it gets the failure; the next one does not fail by it.
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [status, body] = await this.#done(request).then(
      (done) => [200, done] as const,
      (error: unknown) => refusalOf(error),
    );
    response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close' });
    response.end(JSON.stringify(body));
  }

  async #done(request: IncomingMessage): Promise<object> {
    if (!this.#isOurs(request))
      throw new OperationalError('FORBIDDEN', 'Whoever asks has not read cluster.json');
    const [, kind, member, ...rest] = (request.url ?? '').split('/');
    const path = [kind, ...(member === undefined ? [] : ['NAME']), ...rest].join('/');
    const routes = this.#routes(decoded(member ?? ''), await text(request));
    const task = request.method === 'POST' ? routes.get(path) : undefined;
    if (task === undefined) {
      const detail = `There is POST /${[...routes.keys()].join(', /')}`;
      throw new OperationalError('ROUTE_NOT_FOUND', detail);
    }
    return this.inTurn(async () => {
      if (this.controlled.isServing) return task();
      throw new OperationalError(
        'UNAVAILABLE',
        'The cluster is starting, or stopping: ask again once it serves',
      );
    });
  }

  #routes(name: string, body: string): Map<string, () => Promise<object>> {
    const { controlled } = this;
    const acts = MEMBER_ACTIONS.map(
      (action) =>
        [`members/NAME/${action}`, async () => ({ done: await controlled.act(name, action) })] as const,
    );
    return new Map<string, () => Promise<object>>([
      ['shards', async () => controlled.addShard(shardIn(body))],
      ['coordinators', () => controlled.addCoordinator()],
      ['coordinators/NAME/replace', () => controlled.addCoordinator(name)],
      ...acts,
    ]);
  }

  #isOurs({ headers }: IncomingMessage): boolean {
    const given = Buffer.from(headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${this.place.token}`);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw new OperationalError('INVALID_ARGUMENT', `${name} is no name: its escapes are torn`);
  }
}

/** As it was asked for in JSON; nothing is an empty object. */
function shardIn(body: string): ShardRequest {
  let given: unknown = {};
  try {
    if (body !== '') given = JSON.parse(body);
  } catch (error) {
    throw new OperationalError('INVALID_ARGUMENT', `The body is not JSON: ${(error as Error).message}`);
  }
  const parsed = shardRequest.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new OperationalError('INVALID_ARGUMENT', z.prettifyError(parsed.error));
}

function refusalOf(error: unknown): readonly [number, object] {
  if (error instanceof OperationalError) {
    const { code, message: detail, details } = error;
    return [ERROR_CATALOGUE[code].httpStatus, { code, detail, ...details }];
  }
  // What is missing on this machine is told in a sentence; anything else is a bug, whose words help all the same.
  const code = error instanceof StartError ? 'UNAVAILABLE' : 'INTERNAL';
  return [ERROR_CATALOGUE[code].httpStatus, { code, detail: (error as Error).message }];
}

/** From another process: the answer of the starter, or what it refuses with. */
export async function askStarter(
  { url, token }: StarterPlace,
  path: string,
  body: object = {},
): Promise<unknown> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  const said = (await answer.json()) as { readonly code?: string; readonly detail?: string };
  if (!answer.ok) throw new Error(`${path}: ${said.code ?? answer.status}: ${said.detail ?? ''}`);
  return said;
}
