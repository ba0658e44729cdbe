/** Three real nats-servers, of which the first has no routes: whoever comes to it hears who is there, and nobody else. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { coordinatorContracts, inboxPrefix, subjects } from '@ringleader/contracts';
import { startNatsCluster, startNatsServer, until } from '@ringleader/testing-servers';
import type { TestServer } from '@ringleader/testing-servers';
import { ControlClient } from './control-client.js';
import { heartbeatSink } from './heartbeat-sink.js';
import { subscribeJson } from './json-subject.js';
import { connectNatsLinks } from './links.js';
import type { NatsLinks } from './links.js';
import { UNLOGGED } from './nats-link.js';

const CLUSTER = 'isolated';
const WAIT = { timeoutMs: 20_000, everyMs: 50 };
const TEST_MS = 40_000;

let dir: string;
let alone: TestServer;
let servers: TestServer[];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-isolated-'));
  alone = await startNatsServer({ dir: join(dir, 'alone') });
  servers = [alone, ...(await startNatsCluster(2, { dir }))];
}, 60_000);
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(dir, { recursive: true, force: true });
}, 30_000);

const connecting = (member: string): Promise<NatsLinks> => {
  const options = { name: member, inboxPrefix: inboxPrefix(CLUSTER, { service: 'gateway', member }) };
  return connectNatsLinks({ ...options, servers: servers.map(({ url }) => url) }, UNLOGGED);
};
const isAt = ({ control, data }: NatsLinks, { port }: TestServer): boolean =>
  [control, data].every((link) => link.isConnected && link.server.endsWith(`:${port}`));

/** As a process does that begins: it asks again and again, whoever may be there, says that it lives, and listens to who else does. */
function living(links: NatsLinks, member: string, hears: boolean): () => Promise<void> {
  const { control } = links;
  const speaker = { service: 'gateway', member } as const;
  const client = new ControlClient(control);
  const beat = heartbeatSink(control, CLUSTER, speaker);
  const schema = { safeParse: (data: unknown) => ({ success: true, data }) as const };
  const subject = hears ? subjects.heartbeat.to(CLUSTER) : subjects.heartbeat.from(CLUSTER, speaker);
  subscribeJson(control, { name: 'heartbeat', subject, schema }, () => true);
  const timer = setInterval(() => {
    beat('{}');
    const ask = subjects.ask.from(CLUSTER, speaker, 1, 'status');
    void client.call(coordinatorContracts.status, ask, {});
  }, 100);
  return async () => {
    clearInterval(timer);
    await client.close();
    await links.close();
  };
}

it(
  'leaves a server at which neither coordinators nor others are heard, and stays at one where others are',
  async () => {
    const lonely = await connecting('lonely');
    const hearing = await connecting('hearing');
    expect([lonely, hearing].every((links) => isAt(links, alone))).toBe(true);
    const ends = [living(hearing, 'hearing', true), living(lonely, 'lonely', false)];
    const isElsewhere = (): boolean => servers.slice(1).some((server) => isAt(lonely, server));
    await until('another server', async () => isElsewhere(), WAIT);
    expect(isAt(hearing, alone)).toBe(true);
    expect(hearing.control.counts.disconnects).toBe(0);
    expect(lonely.control.counts).toMatchObject({ disconnects: 1, stale: 0 });
    // Now nobody else is left there.
    await until('the other one follows', async () => !isAt(hearing, alone) && hearing.isConnected, WAIT);
    await Promise.all(ends.map((end) => end()));
  },
  TEST_MS,
);
