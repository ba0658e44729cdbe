import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { program } from './program.js';
import { ageOf, grantOf } from './token.js';

const TOKEN = {
  ...{ id: 'abcdefgh1234', name: 'ci', grants: [{ role: 'write', prefix: 'app/' }], expiresAt: null },
  ...{ createdAt: '2026-11-26T00:00:00.000Z', createdBy: 'root' },
};
const SECRET = `rl_abcdefgh1234_${'S'.repeat(43)}`;

describe('ringleader token', () => {
  let server: Server;
  let url: string;
  let folder: string;
  let asked: { line: string; body: unknown; authorization: string | undefined }[];
  let answer: { readonly status: number; readonly body?: unknown };

  beforeEach(async () => {
    asked = [];
    folder = mkdtempSync(join(tmpdir(), 'ringleader-token-'));
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const { method, url: target, headers } = request;
        asked.push({
          line: `${method} ${target}`,
          body: body === '' ? null : JSON.parse(body),
          authorization: headers.authorization,
        });
        response.statusCode = answer.status;
        response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    server.closeAllConnections();
    server.close();
  });

  async function run(...args: string[]): Promise<{ out: string; error: string }> {
    const printed: Record<'out' | 'error', unknown[]> = { out: [], error: [] };
    const log = jest.spyOn(console, 'log').mockImplementation((line) => void printed.out.push(line));
    const error = jest.spyOn(console, 'error').mockImplementation((line) => void printed.error.push(line));
    try {
      await program().parseAsync(['node', 'ringleader', '--gateway', url, ...args]);
    } finally {
      log.mockRestore();
      error.mockRestore();
    }
    return { out: printed.out.join('\n'), error: printed.error.join('\n') };
  }

  it('makes one, and prints its secret alone', async () => {
    answer = { status: 201, body: { ...TOKEN, token: SECRET } };
    const before = Date.now();
    const grants = ['--grant', 'write:app/', '--grant', 'read:'];
    const printed = await run('token', 'create', '--name', 'ci', ...grants, '--expires', '30d');
    expect(printed.out).toBe(SECRET);
    expect(printed.error).toBe('Token abcdefgh1234 never expires; the secret is told only here.');
    const { line, body } = asked[0]!;
    expect(line).toBe('POST /v1/tokens');
    expect(body).toEqual({
      name: 'ci',
      grants: [
        { role: 'write', prefix: 'app/' },
        { role: 'read', prefix: '' },
      ],
      expiresAt: expect.any(String) as unknown,
    });
    const days = (Date.parse((body as { expiresAt: string }).expiresAt) - before) / 86_400_000;
    expect(days).toBeCloseTo(30, 2);
  });

  it('lists them, and takes one back by its id or as a whole', async () => {
    answer = { status: 200, body: { items: [TOKEN] } };
    expect((await run('token', 'list')).out).toMatch(/abcdefgh1234 +ci +write:app\/ +never/);
    expect(JSON.parse((await run('token', 'list', '-o', 'json')).out)).toEqual([TOKEN]);
    answer = { status: 204 };
    for (const which of ['abcdefgh1234', SECRET]) {
      expect((await run('token', 'revoke', which)).out).toBe('abcdefgh1234 is revoked.');
    }
    expect(asked.slice(2).map(({ line }) => line)).toEqual(Array(2).fill('DELETE /v1/tokens/abcdefgh1234'));
  });

  it('fails with the exit codes that other commands have', async () => {
    answer = { status: 404, body: { code: 'TOKEN_NOT_FOUND', detail: 'None' } };
    await expect(run('token', 'revoke', 'abcdefgh1234')).rejects.toMatchObject({ exitCode: 3 });
    answer = { status: 401, body: { code: 'UNAUTHENTICATED', detail: 'No token' } };
    await expect(run('token', 'list')).rejects.toMatchObject({ exitCode: 2, code: 'UNAUTHENTICATED' });
  });

  it.each([
    ['create', '--name', 'x'],
    ['create', '--grant', 'read:'],
    ['create', '--name', 'x', '--grant', 'owner:a'],
    ['create', '--name', 'x', '--grant', 'read'],
    ['create', '--name', 'x', '--grant', 'read:', '--expires', '30'],
    ['revoke', '../x'],
  ])('asks nothing for token %s %s %s', async (...args) => {
    await expect(run('token', ...args)).rejects.toMatchObject({ exitCode: 1 });
    expect(asked).toEqual([]);
  });

  it('reads grants and ages', () => {
    expect(grantOf('read:a:b/')).toEqual([{ role: 'read', prefix: 'a:b/' }]);
    expect([ageOf('90m'), ageOf('2w')]).toEqual([5_400_000, 1_209_600_000]);
  });

  it('is sent with every command where a file has it', async () => {
    answer = { status: 200, body: { items: [] } };
    const file = join(folder, 'token');
    writeFileSync(file, `${SECRET}\n`);
    await run('--token-file', file, 'token', 'list');
    await run('ls', '--token-file', file);
    await run('export', '--token-file', file, '--output', join(folder, 'out'));
    await run('token', 'list');
    const sent = `Bearer ${SECRET}`;
    expect(asked.map(({ authorization }) => authorization)).toEqual([sent, sent, sent, undefined]);
    writeFileSync(file, 'two words');
    for (const none of [file, join(folder, 'none')]) {
      const refused = run('--token-file', none, 'token', 'list');
      await expect(refused).rejects.toMatchObject({ exitCode: 2 });
      await expect(refused).rejects.not.toThrow(/two words/);
    }
  });
});
