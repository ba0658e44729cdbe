import { beforeEach, describe, expect, it } from '@jest/globals';
import { testGateway } from '../test/gateway.fixtures.js';

const gateway = testGateway();

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
    gateway.answers = { '/partitions:recover': [{ body: { epoch: 17, partitions } }] };
  });

  it('shows what would be done, and how to do it', async () => {
    const text = await gateway.run('recover', ...lost);
    expect(text).toMatch(/^Nothing is done. 4 partitions would go on/);
    expect(text).toMatch(/shard-1 +shard-2, shard-3 +2 +1, 4\n/);
    expect(text).toMatch(/shard-5 \(a copy: all of it, or nothing\) +shard-2, shard-3 +1 +5\n/);
    expect(text).toMatch(/nobody: they begin anew, empty +shard-2, shard-3 +1 +2\n/);
    const toDoIt = 'ringleader recover --lost shard-2 --lost shard-3 --accept-data-loss --if-epoch 17';
    expect(text.endsWith(`To do it: ${toDoIt}`)).toBe(true);
    const body = { lost: ['shard-2', 'shard-3'], dryRun: true, acceptDataLoss: false };
    expect(gateway.asked).toEqual([`POST /partitions:recover ${JSON.stringify(body)}`]);
  });

  it('does it where data loss is accepted', async () => {
    const line = ['recover', ...lost, '--accept-data-loss', '--if-epoch', '17'];
    expect(await gateway.run(...line)).toMatch(/^4 partitions go on .* \(plan 17\)\.\n/);
    expect(JSON.parse(await gateway.run(...line, '-o', 'json'))).toEqual({
      epoch: 17,
      done: true,
      partitions,
    });
    const body = { lost: ['shard-2', 'shard-3'], dryRun: false, acceptDataLoss: true };
    const request = `POST /partitions:recover "17" ${JSON.stringify(body)}`;
    expect(gateway.asked).toEqual([request, request]);
  });

  it('says of a repeat that it is done', async () => {
    gateway.answers = { '/partitions:recover': [{ body: { epoch: 19, partitions: [] } }] };
    const text = await gateway.run('recover', ...lost, '--accept-data-loss', '--if-epoch', '17');
    expect(text).toBe('Nothing is left to do: it is done since it was asked for first (plan 19).');
  });

  it('takes no name for what is none, and asks for nothing', async () => {
    await expect(gateway.run('recover', '--lost', 'shard-2:drain')).rejects.toMatchObject({
      code: expect.stringMatching(/^commander\./),
    });
    expect(gateway.asked).toEqual([]);
  });
});
