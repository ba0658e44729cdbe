/** What listeners throw, in a process of their own. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { text } from 'node:stream/consumers';
import { startNatsServer } from '@ringleader/testing-servers';
import type { TestServer } from '@ringleader/testing-servers';

const MODULE = new URL('../dist/index.js', import.meta.url).href;
const TEST_MS = 60_000;
const EXPECTED = 7;

/** Hears one message, by which its listener throws. */
const PROCESS = `
const { connectNats, subscribeJson, UNLOGGED } = await import(process.argv[1]);
const [server, kind] = process.argv.slice(2);
process.on('uncaughtException', ({ message }) => {
  console.log(message);
  process.exit(${EXPECTED});
});
const link = await connectNats({ servers: [server], name: 'test' }, UNLOGGED);
const listener = () => {
  throw new Error('a broken invariant');
};
const schema = { safeParse: (data) => ({ success: true, data }) };
const said = {
  frames: 'rl.test.coordinator.1.raft.2',
  json: 'rl.test.shard.shard-1.heartbeat',
  inbox: '_INBOX.rl.test.gateway.g.1',
}[kind];
if (kind === 'frames') link.frames.subscribe('raft', said, listener);
else if (kind === 'json') subscribeJson(link, { name: 'heartbeat', subject: said, schema }, listener);
else link.subscribe(said, { callback: listener });
await link.connection.flush();
link.publish(said, '{}');
`;

describe('what a listener throws', () => {
  let dir: string;
  let nats: TestServer;
  beforeAll(async () => {
    dir = await mkdtemp(`${tmpdir()}/ringleader-listeners-`);
    nats = await startNatsServer({ dir });
  });
  afterAll(async () => {
    await nats.stop();
    await rm(dir, { recursive: true });
  });

  it.each(['frames', 'json', 'inbox'])(
    'ends the process, and is not taken for the end of the connection: %s',
    async (kind) => {
      const args = ['--no-warnings', '--input-type=module', '--eval', PROCESS, MODULE, nats.url, kind];
      const child = spawn(process.execPath, args, {
        stdio: ['ignore', 'pipe', 'inherit'],
        timeout: TEST_MS / 2,
        killSignal: 'SIGKILL',
      });
      const [said, ended] = await Promise.all([text(child.stdout), once(child, 'exit')]);
      expect({ said, ended }).toEqual({ said: 'a broken invariant\n', ended: [EXPECTED, null] });
    },
    TEST_MS,
  );
});
