/** shards, drain, undrain, remove, weight: what is asked of the gateway, and what is shown. */
import { describe, expect, it } from '@jest/globals';
import { placed, plan, testGateway } from '../test/gateway.fixtures.js';

const gateway = testGateway();

describe('commands for shards', () => {
  it.each([
    [['drain', 'shard-4'], 'POST /shards/shard-4:drain'],
    [['undrain', 'shard-4', '--if-epoch', '17'], 'POST /shards/shard-4:undrain "17"'],
    [['remove', 'shard-4'], 'DELETE /shards/shard-4'],
    [['weight', 'shard-4', '2.5'], 'PATCH /shards/shard-4 {"weight":2.5}'],
  ])('%j', async (args, request) => {
    expect(await gateway.run(...args)).toMatch(/^[A-Za-z0-9 .-]+ \(plan 18\)\.$/);
    expect(JSON.parse(await gateway.run(...args, '-o', 'json'))).toEqual({ epoch: 18 });
    expect(gateway.asked).toEqual([request, request]);
  });

  it.each([
    [['weight', 'shard-4', '0']],
    [['weight', 'shard-4', '101']],
    [['weight', 'shard-4', 'x']],
    [['drain', 'shard-4/..']],
    [['drain', 'shard-4:undrain']],
  ])('%j is no valid line, and asks for nothing', async (args) => {
    await expect(gateway.run(...args)).rejects.toMatchObject({ code: expect.stringMatching(/^commander\./) });
    expect(gateway.asked).toEqual([]);
  });

  it.each([
    [404, 'SHARD_NOT_FOUND', 3],
    [409, 'SHARD_HOLDS_DATA', 4],
    [412, 'PRECONDITION_FAILED', 4],
    [503, 'UNAVAILABLE', 5],
    [504, 'OUTCOME_UNKNOWN', 6],
  ])('end as the cluster says: %i %s is exit code %i', async (status, code, exitCode) => {
    gateway.answers = { '/shards/shard-4': [{ status, body: { code, detail: 'No' } }] };
    await expect(gateway.run('remove', 'shard-4')).rejects.toMatchObject({ code, exitCode });
  });

  it('shows shards, for programs as a list', async () => {
    gateway.answers = {
      '/shards': [{ body: { items: [placed(), placed({ shard: 'shard-5', removable: true })] } }],
    };
    expect(JSON.parse(await gateway.run('shards', '-o', 'json'))).toHaveLength(2);
    expect(await gateway.run('shards')).toMatch(
      /shard-4 +draining +alive +1 +7 +2 +0 +7\nshard-5 .*can be removed/,
    );
  });

  it('drains, and waits for the end of it, over a gateway that is away for a moment', async () => {
    gateway.answers = {
      '/shards/shard-4:drain': [{ status: 409, body: { code: 'ALREADY_SO', detail: 'It is' } }],
      '/shards/shard-4': [
        { body: placed() },
        { status: 503, body: { code: 'UNAVAILABLE' } },
        { body: placed({ state: 'drained', replicas: 0 }) },
      ],
      '/plan': [{ body: plan() }],
    };
    expect(await gateway.run('drain', 'shard-4', '--wait')).toBe('shard-4 is drained.');
    gateway.answers['/shards/shard-4'] = [{ body: placed({ state: 'active' }) }];
    await expect(gateway.run('drain', 'shard-4', '--wait')).rejects.toMatchObject({ exitCode: 4 });
  });

  it('gives up where nobody gateway.answers any more, and says that the shard is drained all the same', async () => {
    const away = [{ status: 503, body: { code: 'UNAVAILABLE', detail: 'Nobody is reached' } }];
    gateway.answers = { '/shards/shard-4': away };
    const line = ['drain', 'shard-4', '--wait', '--give-up-after', '1'];
    await expect(gateway.run(...line)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^For 1 s nobody has told how far it is \(Nobody is reached\)\. shard-4 is drained all the same/,
      ),
      ...{ exitCode: 6, code: 'UNAVAILABLE' },
    });
    // Asked again and again, and who has said something meanwhile is waited for anew.
    expect(gateway.asked.length).toBeGreaterThan(3);
    gateway.answers['/shards/shard-4'] = [
      ...Array.from({ length: 4 }, () => [...away, { body: placed() }]).flat(),
    ];
    gateway.answers['/shards/shard-4'].push({ body: placed({ state: 'drained', replicas: 0 }) });
    expect(await gateway.run(...line)).toBe('shard-4 is drained.');
  });

  it('takes a shard for drained that somebody removes while it is waited for', async () => {
    gateway.answers = {
      '/shards/shard-4': [{ body: placed() }, { status: 404, body: { code: 'SHARD_NOT_FOUND' } }],
      '/plan': [{ body: plan() }],
    };
    expect(await gateway.run('drain', 'shard-4', '--wait')).toBe('shard-4 is drained, and removed by now.');
    expect(JSON.parse(await gateway.run('drain', 'shard-4', '--wait', '-o', 'json'))).toEqual({
      ...{ epoch: 18, state: 'removed' },
    });
    gateway.answers = {
      '/shards/shard-4:drain': [{ status: 404, body: { code: 'SHARD_NOT_FOUND', detail: 'No' } }],
    };
    await expect(gateway.run('drain', 'shard-4', '--wait')).rejects.toMatchObject({ exitCode: 3 });
  });
});
