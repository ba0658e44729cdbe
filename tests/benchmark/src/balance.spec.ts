import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { until } from '@ringleader/server-processes';
import { balanceReport, type BalanceOptions } from './balance.js';

const options: Omit<BalanceOptions, 'ended'> = {
  strategies: ['random', 'round-robin'],
  ...{ rounds: 1, roundMs: 60_000, readsPerSecond: 20, pauseMs: 900 },
};

let gateway: Server;
let shard: ChildProcess;
let strategies: unknown[];

beforeEach(async () => {
  strategies = [];
  gateway = createServer((request, answer) => {
    void text(request).then((body) => {
      if (request.method === 'PATCH')
        strategies.push((JSON.parse(body) as { balancer: { strategy: unknown } }).balancer.strategy);
      answer.end(JSON.stringify({ balancer: { strategy: 'ring-hash' } }));
    });
  });
  await once(gateway.listen(0, '127.0.0.1'), 'listening');
  shard = spawn('sleep', ['600'], { stdio: 'ignore' });
});
afterEach(async () => {
  shard.kill('SIGKILL');
  gateway.closeAllConnections();
  await new Promise((resolve) => gateway.close(resolve));
});

const stateOf = (pid: number): string =>
  readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.[0] ?? '';
const cluster = (pid: number) => ({
  gatewayUrls: [`http://127.0.0.1:${(gateway.address() as AddressInfo).port}`],
  processes: () => Promise.resolve([{ service: 'shard', member: 'shard-1', pid }]),
});

it('leaves the shard running and the strategy as it was when it is ended', async () => {
  const pid = shard.pid ?? 0;
  const ended = new AbortController();
  const reason = new Error('enough');
  const outcome = expect(balanceReport(cluster(pid), { ...options, ended: ended.signal })).rejects.toBe(
    reason,
  );
  await until('the shard stands', () => Promise.resolve(stateOf(pid) === 'T'), {
    timeoutMs: 60_000,
    everyMs: 5,
  });
  ended.abort(reason);
  await outcome;
  expect(stateOf(pid)).not.toBe('T');
  expect(strategies).toEqual(['random', 'ring-hash']);
});

it('goes on where the shard dies', async () => {
  const pid = shard.pid ?? 0;
  shard.kill('SIGKILL');
  await once(shard, 'exit');
  const report = await balanceReport(cluster(pid), {
    ...options,
    ...{ strategies: ['random'], roundMs: 1_500, pauseMs: 10, ended: new AbortController().signal },
  });
  expect(report).toContain('| random |');
  expect(strategies).toEqual(['random', 'ring-hash']);
});
