/**
 * How `ringleader local` asks a running starter: by HTTP on loopback, with a token that stands in the data folder's
 * cluster.json, which nobody else may read. One thing at a time is done.
 */
import { ERROR_CATALOGUE, OperationalError } from '@ringleader/contracts';
import { StartError } from '@ringleader/server-processes';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

export const MEMBER_ACTIONS = ['stop', 'kill', 'pause', 'cut', 'restart'] as const;
export type MemberAction = (typeof MEMBER_ACTIONS)[number];

const shardRequest = z.strictObject({
  zone: z.string().max(64).optional(),
  weight: z.number().min(0.01).max(100).optional(),
});
export type ShardRequest = z.infer<typeof shardRequest>;

export interface ControlPlace {
  readonly url: string;
  readonly token: string;
}

export interface Controlled {
  /** Gives the sentence about it. */
  act(member: string, action: MemberAction): Promise<string>;
  addShard(wanted: ShardRequest): Promise<{ readonly member: string }>;
}

export class Control {
  readonly place: ControlPlace;
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
    await this.#turn;
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
    const [, kind, member = '', action] = (request.url ?? '').split('/').map(decodeURIComponent);
    const body = await text(request);
    const known = MEMBER_ACTIONS.find((one) => one === action);
    if (request.method === 'POST' && kind === 'shards') {
      const parsed = shardRequest.safeParse(body === '' ? {} : JSON.parse(body));
      if (parsed.success) return this.#inTurn(() => this.controlled.addShard(parsed.data));
      throw new OperationalError('INVALID_ARGUMENT', z.prettifyError(parsed.error));
    }
    if (request.method === 'POST' && kind === 'members' && known !== undefined) {
      return this.#inTurn(async () => ({ done: await this.controlled.act(member, known) }));
    }
    throw new OperationalError('ROUTE_NOT_FOUND', 'There is POST /shards and POST /members/NAME/ACTION');
  }

  #isOurs({ headers }: IncomingMessage): boolean {
    const given = Buffer.from(headers.authorization ?? '');
    const wanted = Buffer.from(`Bearer ${this.place.token}`);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(task);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
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
  { url, token }: ControlPlace,
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
