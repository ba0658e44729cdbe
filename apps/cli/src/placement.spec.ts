/** shards, drain, ..., moves, rebalance, limits, where, status: what is asked of the gateway, and what is shown. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { PlacedShard, PlannedMove, Plan } from '@ringleader/contracts';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Screen, describeCluster } from './cluster.js';
import { program } from './program.js';
import { bytes, duration } from './units.js';

const placed = (change: Partial<PlacedShard> = {}): PlacedShard => ({
  ...{ shard: 'shard-4', ordinal: 4, state: 'draining', since: '2026-11-26T00:00:00.000Z', verdict: 'alive' },
  ...{ zone: '', weight: 1, replicas: 7, leaders: 2, arriving: 0, departing: 7, removable: false },
  ...{ notRemovable: 'It holds data', ...change },
});
const move = (change: Partial<PlannedMove> = {}): PlannedMove => ({
  ...{
    partition: 3,
    add: 'shard-5',
    remove: 'shard-4',
    reason: 'drain',
    phase: 'learn',
    waitsFor: 'its copy',
  },
  ...{
    startedAt: null,
    bytesDone: 1_500_000,
    bytesTotal: 3_000_000,
    bytesPerSecond: 500_000,
    endsInMs: 3_000,
  },
  ...change,
});
const plan = (change: Partial<Plan> = {}): Plan => ({
  ...{ epoch: 17, paused: false, blocked: null, moves: [], movesTotal: 0, leaderChanges: 0, bytesTotal: 0 },
  limits: { movesMax: 4, bytesPerSecondMax: 33_554_432, replaceAfterMs: 600_000 },
  ...change,
});

let server: Server;
let url: string;
let asked: string[];
/** By the path, in turn; the last one stays. */
let answers: Record<string, { readonly status?: number; readonly body: unknown }[]>;

beforeEach(async () => {
  asked = [];
  answers = {};
  server = createServer((request, response) => {
    void buffer(request).then((body) => {
      const path = (request.url ?? '').replace('/v1/cluster', '');
      const condition = request.headers['if-match'] ?? '';
      asked.push(`${request.method} ${path} ${condition} ${body.toString()}`.replace(/ +/g, ' ').trim());
      const known = answers[path.replace(/\?.*/, '')] ?? [{ body: { epoch: 18 } }];
      const answer = known.length > 1 ? known.shift() : known[0];
      response.statusCode = answer?.status ?? 200;
      response.end(JSON.stringify(answer?.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function run(...args: string[]): Promise<string> {
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

describe('commands for shards and moves', () => {
  it.each([
    [['drain', 'shard-4'], 'POST /shards/shard-4:drain'],
    [['undrain', 'shard-4', '--if-epoch', '17'], 'POST /shards/shard-4:undrain "17"'],
    [['remove', 'shard-4'], 'DELETE /shards/shard-4'],
    [['weight', 'shard-4', '2.5'], 'PATCH /shards/shard-4 {"weight":2.5}'],
    [['moves', 'pause', '--if-epoch', '17'], 'POST /moves:pause "17"'],
    [['moves', 'resume'], 'POST /moves:resume'],
    [['moves', 'cancel'], 'POST /moves:cancel'],
    [['moves', 'cancel', '3'], 'POST /moves:cancel {"partition":3}'],
  ])('%j', async (args, request) => {
    expect(await run(...args)).toMatch(/^[A-Za-z0-9 .-]+ \(plan 18\)\.$/);
    expect(JSON.parse(await run(...args, '-o', 'json'))).toEqual({ epoch: 18 });
    expect(asked).toEqual([request, request]);
  });

  it.each([
    [['weight', 'shard-4', '0']],
    [['weight', 'shard-4', '101']],
    [['weight', 'shard-4', 'x']],
    [['drain', 'shard-4/..']],
    [['drain', 'shard-4:undrain']],
    [['moves', 'cancel', '-1']],
    [['moves', 'stop']],
    [['rebalance', '--dry-run', '--weight', 'shard-4']],
    [['limits', '--moves-max', '0']],
    [['recover', '--lost', 'shard-2:drain']],
  ])('%j is no valid line, and asks for nothing', async (args) => {
    await expect(run(...args)).rejects.toMatchObject({ code: expect.stringMatching(/^commander\./) });
    expect(asked).toEqual([]);
  });

  describe('recover', () => {
    const of = (partition: number, kept: string[]): object => ({
      ...{
        partition,
        kept,
        copying: partition === 5 ? ['shard-5'] : [],
        down: [],
        lost: ['shard-2', 'shard-3'],
      },
    });
    const partitions = [of(1, ['shard-1']), of(2, []), of(4, ['shard-1']), of(5, [])];
    const lost = ['--lost', 'shard-2', '--lost', 'shard-3'];
    beforeEach(() => {
      answers = { '/partitions:recover': [{ body: { epoch: 17, partitions } }] };
    });

    it('shows what would be done, and how to do it', async () => {
      const text = await run('recover', ...lost);
      expect(text).toMatch(/^Nothing is done. 4 partitions would go on/);
      expect(text).toMatch(/shard-1 +shard-2, shard-3 +2 +1, 4\n/);
      expect(text).toMatch(/shard-5 \(a copy: all of it, or nothing\) +shard-2, shard-3 +1 +5\n/);
      expect(text).toMatch(/nobody: they begin anew, empty +shard-2, shard-3 +1 +2\n/);
      const toDoIt = 'ringleader recover --lost shard-2 --lost shard-3 --accept-data-loss --if-epoch 17';
      expect(text.endsWith(`To do it: ${toDoIt}`)).toBe(true);
      const body = { lost: ['shard-2', 'shard-3'], dryRun: true, acceptDataLoss: false };
      expect(asked).toEqual([`POST /partitions:recover ${JSON.stringify(body)}`]);
    });

    it('does it where data loss is accepted', async () => {
      const line = ['recover', ...lost, '--accept-data-loss', '--if-epoch', '17'];
      expect(await run(...line)).toMatch(/^4 partitions go on .* \(plan 17\)\.\n/);
      expect(JSON.parse(await run(...line, '-o', 'json'))).toEqual({ epoch: 17, done: true, partitions });
      const body = { lost: ['shard-2', 'shard-3'], dryRun: false, acceptDataLoss: true };
      const request = `POST /partitions:recover "17" ${JSON.stringify(body)}`;
      expect(asked).toEqual([request, request]);
    });

    it('says of a repeat that it is done', async () => {
      answers = { '/partitions:recover': [{ body: { epoch: 19, partitions: [] } }] };
      const text = await run('recover', ...lost, '--accept-data-loss', '--if-epoch', '17');
      expect(text).toBe('Nothing is left to do: it is done since it was asked for first (plan 19).');
    });
  });

  it.each([
    [404, 'SHARD_NOT_FOUND', 3],
    [409, 'SHARD_HOLDS_DATA', 4],
    [412, 'PRECONDITION_FAILED', 4],
    [503, 'UNAVAILABLE', 5],
    [504, 'OUTCOME_UNKNOWN', 6],
  ])('end as the cluster says: %i %s is exit code %i', async (status, code, exitCode) => {
    answers = { '/shards/shard-4': [{ status, body: { code, detail: 'No' } }] };
    await expect(run('remove', 'shard-4')).rejects.toMatchObject({ code, exitCode });
  });

  it('shows shards, for programs as a list', async () => {
    answers = { '/shards': [{ body: { items: [placed(), placed({ shard: 'shard-5', removable: true })] } }] };
    expect(JSON.parse(await run('shards', '-o', 'json'))).toHaveLength(2);
    expect(await run('shards')).toMatch(/shard-4 +draining +alive +1 +7 +2 +0 +7\nshard-5 .*can be removed/);
  });

  it('drains, and waits for the end of it, over a gateway that is away for a moment', async () => {
    answers = {
      '/shards/shard-4:drain': [{ status: 409, body: { code: 'ALREADY_SO', detail: 'It is' } }],
      '/shards/shard-4': [
        { body: placed() },
        { status: 503, body: { code: 'UNAVAILABLE' } },
        { body: placed({ state: 'drained', replicas: 0 }) },
      ],
      '/plan': [{ body: plan() }],
    };
    expect(await run('drain', 'shard-4', '--wait')).toBe('shard-4 is drained.');
    answers['/shards/shard-4'] = [{ body: placed({ state: 'active' }) }];
    await expect(run('drain', 'shard-4', '--wait')).rejects.toMatchObject({ exitCode: 4 });
  });

  it('gives up where nobody answers any more, and says that the shard is drained all the same', async () => {
    const away = [{ status: 503, body: { code: 'UNAVAILABLE', detail: 'Nobody is reached' } }];
    answers = { '/shards/shard-4': away };
    const line = ['drain', 'shard-4', '--wait', '--give-up-after', '1'];
    await expect(run(...line)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^For 1 s nobody has told how far it is \(Nobody is reached\)\. shard-4 is drained all the same/,
      ),
      ...{ exitCode: 6, code: 'UNAVAILABLE' },
    });
    // Asked again and again, and who has said something meanwhile is waited for anew.
    expect(asked.length).toBeGreaterThan(3);
    answers['/shards/shard-4'] = [...Array.from({ length: 4 }, () => [...away, { body: placed() }]).flat()];
    answers['/shards/shard-4'].push({ body: placed({ state: 'drained', replicas: 0 }) });
    expect(await run(...line)).toBe('shard-4 is drained.');
  });

  it('takes a shard for drained that somebody removes while it is waited for', async () => {
    answers = {
      '/shards/shard-4': [{ body: placed() }, { status: 404, body: { code: 'SHARD_NOT_FOUND' } }],
      '/plan': [{ body: plan() }],
    };
    expect(await run('drain', 'shard-4', '--wait')).toBe('shard-4 is drained, and removed by now.');
    expect(JSON.parse(await run('drain', 'shard-4', '--wait', '-o', 'json'))).toEqual({
      ...{ epoch: 18, state: 'removed' },
    });
    answers = { '/shards/shard-4:drain': [{ status: 404, body: { code: 'SHARD_NOT_FOUND', detail: 'No' } }] };
    await expect(run('drain', 'shard-4', '--wait')).rejects.toMatchObject({ exitCode: 3 });
  });

  it('shows moves with what they wait for', async () => {
    const moves = [move(), move({ partition: 4, phase: 'planned', waitsFor: 'its turn' })];
    answers = {
      '/plan': [{ body: plan({ moves, movesTotal: 9, paused: true, blocked: 'a majority is gone' }) }],
      '/moves': [{ body: { items: moves } }],
    };
    const text = await run('moves');
    expect(text).toContain('plan 17: 1 partitions under way, 8 planned');
    expect(text).toContain('Moves are paused');
    expect(text).toContain('Blocked: a majority is gone');
    expect(text).toMatch(/3 +shard-5 +shard-4 +drain +learn +1.50 MB of 3.00 MB +500 kB\/s +3 s +its copy/);
    expect(JSON.parse(await run('moves', '-o', 'json'))).toEqual(moves);
  });

  it('asks what would be, in an order in which it can be', async () => {
    answers = { '/plan:dry-run': [{ body: { shards: [placed()], plan: plan({ moves: [move()] }) } }] };
    const whatIf = [
      '--drain',
      'shard-4',
      '--weight',
      'shard-1=2',
      '--drain',
      'shard-5',
      '--undrain',
      'shard-6',
    ];
    expect(await run('rebalance', '--dry-run', ...whatIf)).toMatch(/plan 17[^]*SHARD[^]*PARTITION/);
    const commands = [
      { kind: 'undrain', shard: 'shard-6' },
      { kind: 'weight', shard: 'shard-1', weight: 2 },
      { kind: 'drain', shard: 'shard-4' },
      { kind: 'drain', shard: 'shard-5' },
    ];
    expect(asked).toEqual([`POST /plan:dry-run ${JSON.stringify({ commands })}`]);
    await expect(run('rebalance')).rejects.toMatchObject({ exitCode: 2 });
  });

  it('changes limits, and shows them', async () => {
    answers = { '/plan': [{ body: plan() }] };
    expect(await run('limits')).toContain('--moves-max 4');
    await run('limits', '--moves-max', '2', '--bytes-per-second-max', '65536', '--if-epoch', '17');
    const limits = { movesMax: 2, bytesPerSecondMax: 65_536 };
    expect(asked).toEqual(['GET /plan', `PATCH /plan "17" ${JSON.stringify({ limits })}`, 'GET /plan']);
    await expect(run('limits', '--if-epoch', '17')).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe('where and incidents', () => {
  it('say where a key is, whatever stands in it', async () => {
    const place = {
      ...{ key: 'a b&c', partition: 7, epoch: 3, replicas: ['shard-1', 'shard-2', 'shard-3'] },
      ...{
        nextReplicas: ['shard-1', 'shard-2', 'shard-4'],
        learners: [],
        leader: null,
        preferredLeader: 'shard-1',
      },
    };
    answers = { '/where': [{ body: place }], '/incidents': [{ body: { items: [] } }] };
    expect(await run('where', 'a b&c')).toBe(
      'partition 7, epoch 3\nleader    nobody (shard-1 is to lead)\nreplicas  shard-1, shard-2, shard-3\n' +
        'next      shard-1, shard-2, shard-4',
    );
    expect(JSON.parse(await run('where', 'a b&c', '-o', 'json'))).toEqual(place);
    expect(asked[0]).toBe('GET /where?key=a+b%26c');
    expect(await run('incidents')).toBe('There was none.');
  });
});

it('shows no member of another service as the leader of the coordinators', () => {
  const member = {
    id: 'host-1',
    address: '',
    version: '1',
    startedAt: '',
    state: 'serving',
    verdict: 'alive',
    verdictSince: null,
    phi: null,
    load: null,
  } as const;
  const partitionMap = {
    epoch: 1,
    partitions: 0,
    replicationFactor: 3,
    withoutLeader: 0,
    withoutMajority: 0,
  };
  const text = describeCluster({
    ...{ id: 'c', name: 'local', health: 'healthy', reasons: [] },
    members: [
      { ...member, service: 'coordinator', evidence: [] },
      { ...member, service: 'gateway', evidence: [] },
    ],
    coordinator: { leader: 'host-1', term: 3, joint: false, members: [] },
    partitionMap: { ...partitionMap, shards: [] },
  });
  const lines = text.split('\n').filter((line) => line.startsWith('host-1'));
  expect(lines.map((line) => line.includes('leader, term 3'))).toEqual([true, false]);
});

describe('verify', () => {
  const verification = (change: object): object => ({
    ...{ id: 'v', startedAt: 's', endedAt: null, partitionsTotal: 16, partitionsDone: 3, incomplete: 0 },
    ...{ rows: 9, differed: 0, mended: 0, ...change },
  });
  const ended = { endedAt: 'e', partitionsDone: 16 };
  afterEach(() => {
    process.exitCode = undefined;
  });

  it('waits for the end, over a gateway that is away for a moment', async () => {
    answers = {
      ':verify': [{ body: verification({}) }],
      '/verification': [{ status: 503, body: {} }, { body: { verification: verification(ended) } }],
    };
    expect(await run('verify')).toContain(
      'has ended: 16 of 16 partitions, 9 rows compared.\nNo replica differed.',
    );
    expect([asked.length, process.exitCode]).toEqual([3, undefined]);
  });

  it('gives up where nobody answers any more, and says that it goes on', async () => {
    answers = { ':verify': [{ body: verification({}) }], '/verification': [{ status: 503, body: {} }] };
    await expect(run('verify', '--give-up-after', '1')).rejects.toMatchObject({
      message: expect.stringMatching(
        /^For 1 s nobody has told how far it is \(.*\)\. The verification goes on/,
      ),
      exitCode: 6,
    });
    expect(asked.length).toBeGreaterThan(2);
  });

  it('tells by its exit code that rows differed, and what another one has begun', async () => {
    answers = { ':verify': [{ body: verification({ ...ended, differed: 2, mended: 2, incomplete: 1 }) }] };
    expect(await run('verify')).toMatch(/2 rows differed, 2 of them are mended[^]*Of 1 partitions/);
    expect(process.exitCode).toBe(4);
    process.exitCode = undefined;
    answers = { ':verify': [{ body: verification({ ...ended, incomplete: 1 }) }] };
    expect(await run('verify')).toMatch(/No replica differed[^]*Of 1 partitions/);
    expect(process.exitCode).toBe(1);
    process.exitCode = undefined;
    // What is under way may still complete them.
    answers = { ':verify': [{ body: verification({ incomplete: 1 }) }] };
    await run('verify', '--no-wait');
    expect(process.exitCode).toBeUndefined();
    answers = {
      ':verify': [{ body: verification({}) }],
      '/verification': [{ body: { verification: verification({ id: 'w' }) } }],
    };
    await expect(run('verify')).rejects.toThrow('Another verification');
    expect(JSON.parse(await run('verify', '--no-wait', '-o', 'json'))).toMatchObject({
      id: 'v',
      endedAt: null,
    });
  });
});

describe('Screen', () => {
  const screen = (
    isInPlace: boolean,
    rows = 4,
    columns = 5,
  ): { readonly screen: Screen; readonly written: string[] } => {
    const written: string[] = [];
    const write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
    return { screen: new Screen({ write, rows, columns }, isInPlace), written };
  };

  it('writes over what it has written, and never scrolls', () => {
    const { screen: terminal, written } = screen(true);
    terminal.show('1234567\n2\n3\n4\n5');
    terminal.close();
    expect(written[1]).toBe('\u001b[H12345\u001b[K\n2\u001b[K\n3\u001b[K\n\u001b[J');
    expect([written[0]?.includes('\u001b[?25l'), written[2]]).toEqual([true, '\u001b[?25h']);
  });

  it('shows something also where the terminal does not know its size', () => {
    const { screen: terminal, written } = screen(true, 0, 0);
    terminal.show('123');
    expect(written[1]).toContain('123');
  });

  it('appends where there is no terminal, and only what is new', () => {
    const { screen: file, written } = screen(false);
    for (const text of ['a', 'a', 'b']) file.show(text);
    file.close();
    expect(written).toEqual(['a\n', 'b\n']);
  });
});

it.each([
  [0, '0 B', '0 s'],
  [999, '999 B', '1 s'],
  [1_000, '1.00 kB', '1 s'],
  [123_456, '123 kB', '2 min'],
  [5_400_000, '5.40 MB', '1.5 h'],
])('%i is %s, or %s', (amount, size, time) => {
  expect([bytes(amount), duration(amount)]).toEqual([size, time]);
});
