import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WIRE_HEADER, WIRE_VERSION, subjects } from '@ringleader/contracts';
import { UNLOGGED, connectNats, type NatsLink } from '@ringleader/nats';
import { startNatsServer, until, type TestServer } from '@ringleader/testing-servers';
import { LeaderAnnouncements } from './data-path.nats.js';
import { LeaderTable } from './routing-table.js';

const WAIT = { timeoutMs: 10_000, everyMs: 10 };

describe('a gateway that asks who leads', () => {
  let dir: string;
  let nats: TestServer;
  let link: NatsLink;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ringleader-announcements-'));
    nats = await startNatsServer({ dir });
    link = await connectNats({ servers: [nats.url], name: 'test' }, UNLOGGED);
  });
  afterAll(async () => {
    await link.close();
    await nats.stop();
    await rm(dir, { recursive: true });
  });

  it('says which frames it understands, so that answers to it are sealed on', async () => {
    const heard: (string | undefined)[] = [];
    link.connection.subscribe(subjects.leadersQuery.to('test'), {
      callback: (_error, { headers }) => void heard.push(headers?.get(WIRE_HEADER)),
    });
    const announcements = new LeaderAnnouncements({
      ...{ link, cluster: 'test', gatewayId: 'gateway-1', leaders: new LeaderTable() },
      monotonicMs: () => performance.now(),
      mergeClock: () => undefined,
      onChange: () => undefined,
    });
    announcements.start();
    await until('the question', () => heard.length > 0, WAIT);
    announcements.close();
    expect(heard).toEqual([String(WIRE_VERSION)]);
  });
});
