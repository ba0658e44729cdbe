import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { program } from './program.js';

const MEMBERS = [
  { name: 'coordinator-1', id: '77777777', role: 'leader', term: 3, match: 9, lag: 0, reachable: true },
  {
    ...{ name: 'coordinator-2', id: '88888888', role: 'learner', term: 3, match: 4, lag: 5 },
    ...{ reachable: false, replaces: '66666666' },
  },
];
const VIEW = {
  ...{ leader: 'coordinator-1', term: 3, index: 8, revision: 5, joint: true },
  ...{ members: MEMBERS, applicants: [{ name: 'coordinator-4', id: '44444444' }] },
};

describe('ringleader coordinator', () => {
  let server: Server;
  let url: string;
  let asked: string[];
  let answer: { readonly status: number; readonly body: unknown };

  beforeEach(async () => {
    asked = [];
    answer = { status: 200, body: { index: 9 } };
    server = createServer((request, response) => {
      void buffer(request).then((body) => {
        const condition = request.headers['if-match'] ?? '';
        asked.push(
          `${request.method} ${request.url} ${condition} ${body.toString()}`.replace(/ +/g, ' ').trim(),
        );
        response.statusCode = answer.status;
        response.end(JSON.stringify(answer.body));
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
    try {
      await program().parseAsync(['node', 'ringleader', '--gateway', url, 'coordinator', ...args]);
    } finally {
      log.mockRestore();
    }
    return printed.join('\n');
  }

  it('lists members, for programs as a list, for people with what is to be done', async () => {
    answer = { status: 200, body: VIEW };
    expect(JSON.parse(await run('members', '-o', 'json'))).toEqual(MEMBERS);
    const text = await run('members');
    expect(text).toContain('(a change is under way)');
    expect(text).toMatch(/coordinator-2 +88888888 +learner +4 +5 +silent +replaces 66666666/);
    expect(text).toMatch(/coordinator-4 +44444444 +waits to be let in/);
  });

  it.each([
    [['add', 'coordinator-4'], 'POST /members {"name":"coordinator-4"}'],
    [['add', 'coordinator-4', '--learner'], 'POST /members {"name":"coordinator-4","learner":true}'],
    [['promote', 'coordinator-4'], 'POST /members/coordinator-4:promote'],
    [['replace', 'coordinator-2'], 'POST /members/coordinator-2:replace'],
    [['remove', 'coordinator-2', '--if-index', '8'], 'DELETE /members/coordinator-2 "8"'],
  ])('%j', async (args, request) => {
    expect(await run(...args)).toContain('(configuration 9).');
    expect(asked).toEqual([request.replace(' /', ' /v1/cluster/coordinator/')]);
  });

  it('hands the leadership over', async () => {
    answer = { status: 200, body: { leader: 'coordinator-2' } };
    expect(await run('transfer-leader', '--to', 'coordinator-2')).toBe('coordinator-2 leads.');
    expect(asked).toEqual(['POST /v1/cluster/coordinator:transfer-leader {"to":"coordinator-2"}']);
  });

  it('compacts, and compares hashes', async () => {
    answer = { status: 200, body: { compactedRevision: 17 } };
    expect(await run('compact', '17')).toBe('Forgotten is what was before revision 17.');
    const one = { name: 'coordinator-1', id: '77777777', hash: '0123456789abcdef', state: 'agrees' };
    const two = { name: 'coordinator-2', id: '88888888', hash: null, state: 'silent' };
    answer = { status: 200, body: { revision: 18, consistent: true, members: [one, two] } };
    expect(await run('hash', '--revision', '18')).toMatch(
      /^revision 18: no two members differ\n[^]*0123456789abcdef +agrees[^]*silent$/,
    );
    expect(process.exitCode).toBeUndefined();
    answer = { status: 200, body: { revision: 18, consistent: false, members: [one, two] } };
    await run('hash', '-o', 'json');
    expect(process.exitCode).toBe(4);
    process.exitCode = undefined;
    expect(asked).toEqual([
      'POST /v1/cluster/coordinator:compact {"revision":17}',
      'GET /v1/cluster/coordinator/hash?revision=18',
      'GET /v1/cluster/coordinator/hash',
    ]);
    await expect(run('compact', '0')).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  });

  it.each(['', 'shard-1', '../x'])('takes %j for no coordinator', async (name) => {
    await expect(run('remove', name)).rejects.toMatchObject({ code: 'commander.invalidArgument' });
    expect(asked).toEqual([]);
  });

  it('fails with the code of the cluster', async () => {
    answer = { status: 409, body: { code: 'NO_APPLICANT', detail: 'Nobody waits' } };
    await expect(run('add', 'coordinator-4')).rejects.toMatchObject({ code: 'NO_APPLICANT', exitCode: 4 });
  });
});
