/** A gateway that answers what a test says, and keeps what it was asked. */
import { afterAll, beforeAll, beforeEach, jest } from '@jest/globals';
import type { PlacedShard, Plan } from '@ringleader/contracts';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { program } from '../src/program.js';

export const placed = (change: Partial<PlacedShard> = {}): PlacedShard => ({
  ...{ shard: 'shard-4', ordinal: 4, state: 'draining', since: '2026-11-26T00:00:00.000Z', verdict: 'alive' },
  ...{ zone: '', weight: 1, replicas: 7, leaders: 2, arriving: 0, departing: 7, removable: false },
  ...{ notRemovable: 'It holds data', ...change },
});
export const plan = (change: Partial<Plan> = {}): Plan => ({
  ...{ epoch: 17, paused: false, blocked: null, moves: [], movesTotal: 0, leaderChanges: 0, bytesTotal: 0 },
  limits: { movesMax: 4, bytesPerSecondMax: 33_554_432, replaceAfterMs: 600_000 },
  ...change,
});

export class TestGateway {
  asked: string[] = [];
  /** By the path below /v1/cluster, in turn; the last one stays. */
  answers: Record<string, { readonly status?: number; readonly body: unknown }[]> = {};
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      void buffer(request).then((body) => {
        const path = (request.url ?? '').replace('/v1/cluster', '');
        const condition = request.headers['if-match'] ?? '';
        const line = `${request.method} ${path} ${condition} ${body.toString()}`;
        this.asked.push(line.replace(/ +/g, ' ').trim());
        const known = this.answers[path.replace(/\?.*/, '')] ?? [{ body: { epoch: 18 } }];
        const answer = known.length > 1 ? known.shift() : known[0];
        response.statusCode = answer?.status ?? 200;
        response.end(JSON.stringify(answer?.body));
      });
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  forget(): void {
    this.asked = [];
    this.answers = {};
  }

  /** What a line of the command line prints. */
  async run(...args: string[]): Promise<string> {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const printed: unknown[] = [];
    const log = jest.spyOn(console, 'log').mockImplementation((text) => void printed.push(text));
    const complain = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await program().parseAsync(['node', 'ringleader', '--gateway', url, ...args]);
    } finally {
      log.mockRestore();
      complain.mockRestore();
    }
    return printed.join('\n');
  }
}

/** For the tests of a file. */
export function testGateway(): TestGateway {
  const gateway = new TestGateway();
  beforeAll(() => gateway.start());
  afterAll(() => {
    gateway.stop();
  });
  beforeEach(() => {
    gateway.forget();
  });
  return gateway;
}
