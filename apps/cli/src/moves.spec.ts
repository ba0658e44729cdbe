/** moves, rebalance, limits: what is asked of the gateway, and what is shown. */
import { describe, expect, it } from '@jest/globals';
import type { PlannedMove } from '@ringleader/contracts';
import { placed, plan, testGateway } from '../test/gateway.fixtures.js';

const gateway = testGateway();
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

describe('commands for moves', () => {
  it.each([
    [['moves', 'pause', '--if-epoch', '17'], 'POST /moves:pause "17"'],
    [['moves', 'resume'], 'POST /moves:resume'],
    [['moves', 'cancel'], 'POST /moves:cancel'],
    [['moves', 'cancel', '3'], 'POST /moves:cancel {"partition":3}'],
  ])('%j', async (args, request) => {
    expect(await gateway.run(...args)).toMatch(/^[A-Za-z0-9 .-]+ \(plan 18\)\.$/);
    expect(JSON.parse(await gateway.run(...args, '-o', 'json'))).toEqual({ epoch: 18 });
    expect(gateway.asked).toEqual([request, request]);
  });

  it.each([
    [['moves', 'cancel', '-1']],
    [['moves', 'stop']],
    [['rebalance', '--dry-run', '--weight', 'shard-4']],
    [['limits', '--moves-max', '0']],
  ])('%j is no valid line, and asks for nothing', async (args) => {
    await expect(gateway.run(...args)).rejects.toMatchObject({ code: expect.stringMatching(/^commander\./) });
    expect(gateway.asked).toEqual([]);
  });

  it('shows moves with what they wait for', async () => {
    const moves = [move(), move({ partition: 4, phase: 'planned', waitsFor: 'its turn' })];
    gateway.answers = {
      '/plan': [{ body: plan({ moves, movesTotal: 9, paused: true, blocked: 'a majority is gone' }) }],
      '/moves': [{ body: { items: moves } }],
    };
    const text = await gateway.run('moves');
    expect(text).toContain('plan 17: 1 partitions under way, 8 planned');
    expect(text).toContain('Moves are paused');
    expect(text).toContain('Blocked: a majority is gone');
    expect(text).toMatch(/3 +shard-5 +shard-4 +drain +learn +1.50 MB of 3.00 MB +500 kB\/s +3 s +its copy/);
    expect(JSON.parse(await gateway.run('moves', '-o', 'json'))).toEqual(moves);
  });

  it('asks what would be, in an order in which it can be', async () => {
    gateway.answers = {
      '/plan:dry-run': [{ body: { shards: [placed()], plan: plan({ moves: [move()] }) } }],
    };
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
    expect(await gateway.run('rebalance', '--dry-run', ...whatIf)).toMatch(/plan 17[^]*SHARD[^]*PARTITION/);
    const commands = [
      { kind: 'undrain', shard: 'shard-6' },
      { kind: 'weight', shard: 'shard-1', weight: 2 },
      { kind: 'drain', shard: 'shard-4' },
      { kind: 'drain', shard: 'shard-5' },
    ];
    expect(gateway.asked).toEqual([`POST /plan:dry-run ${JSON.stringify({ commands })}`]);
    await expect(gateway.run('rebalance')).rejects.toMatchObject({ exitCode: 2 });
  });

  it('changes limits, and shows them', async () => {
    gateway.answers = { '/plan': [{ body: plan() }] };
    expect(await gateway.run('limits')).toContain('--moves-max 4');
    await gateway.run('limits', '--moves-max', '2', '--bytes-per-second-max', '65536', '--if-epoch', '17');
    const limits = { movesMax: 2, bytesPerSecondMax: 65_536 };
    expect(gateway.asked).toEqual([
      'GET /plan',
      `PATCH /plan "17" ${JSON.stringify({ limits })}`,
      'GET /plan',
    ]);
    await expect(gateway.run('limits', '--if-epoch', '17')).rejects.toMatchObject({ exitCode: 2 });
  });
});
